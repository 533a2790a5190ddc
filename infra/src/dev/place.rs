//! Where things are: the project, and its ignored folder `.aftercart`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::failure::{Failure, Trying};

/// The checkout that the command works on.
#[derive(Debug, Clone)]
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    /// The checkout that cargo runs us from.
    ///
    /// # Errors
    /// When it has been moved or removed since.
    pub(super) fn find() -> Result<Self, Failure> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().unwrap_or(&manifest).to_owned();
        if root.join("infra/local/deploy.py").is_file() {
            return Ok(Self { root });
        }
        Err(Failure::new(format!("The project is not at {} any more.", root.display()))
            .remedy("Run `cargo dev` inside the project, so that it is built anew."))
    }

    /// A file or folder of the project.
    pub(super) fn of(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A file or folder in `.aftercart`, whose parent folders exist from now on.
    pub(super) fn local(&self, path: &str) -> Result<PathBuf, Failure> {
        let path = self.root.join(".aftercart").join(path);
        let parent = path.parent().unwrap_or(&path);
        fs::create_dir_all(parent).trying(format_args!("make the folder {}", parent.display()))?;
        // Local secrets and messages lie there, which are nobody else's.
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(self.root.join(".aftercart"), private).trying("protect .aftercart")?;
        Ok(path)
    }

    /// A path as the developer would type it.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
