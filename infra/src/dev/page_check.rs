//! `cargo dev page-check`: every page that buyers and members read in a real
//! browser, in every state.
//!
//! The pages are written by the tests that render every state, and served as
//! the functions answer them, with their headers. Each is looked at in both
//! languages on a phone and a desk, in light and dark, with the scripts of pages
//! turned off: its contrast as the browser computes it, room for fingers,
//! nothing wider than the screen (also on the narrowest that WCAG names, and
//! with everything unfolded), landmarks, headings and names in the tree that
//! screen readers get, and every control in order by the Tab key alone, with a
//! ring that is seen. Forms are sent by the keyboard. Pictures of all of it lie
//! in `target/page-check`.
//!
//! With `AXE_CORE` naming a file of axe-core, its rules are run in each page,
//! too. The tester's scripts are the tester's: the pages have none.

mod browser;
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use serde_json::{Value, json};

use self::{browser::Browser, server::Server};
use super::{
    binaries,
    child::{self, Stop},
    failure::{Failure, Trying},
    place::Place,
    show,
};

/// Whose tests write pages.
const PACKAGES: [&str; 5] = [
    "aftercart-logistics",
    "aftercart-points",
    "aftercart-surveys",
    "aftercart-contacts",
    "aftercart-care",
];

const MEASURE: &str = include_str!("page_check/measure.js");

/// A screen: its name, its size and whether pictures of it are kept.
struct Screen {
    name: &'static str,
    size: (u32, u32),
    is_phone: bool,
    pictured: bool,
}

const SCREENS: [Screen; 3] = [
    Screen { name: "phone", size: (390, 844), is_phone: true, pictured: true },
    Screen { name: "desk", size: (1280, 900), is_phone: false, pictured: true },
    // The width at which nothing may have to be scrolled sideways (WCAG 2.2, 1.4.10).
    Screen { name: "narrow", size: (320, 640), is_phone: true, pictured: false },
];

const SCHEMES: [&str; 2] = ["light", "dark"];

/// The most controls that the Tab key is followed over.
const MAX_CONTROLS: usize = 200;

/// Unfolds everything.
const UNFOLD: &str = "document.querySelectorAll('details').forEach(it => { \
                      it.removeAttribute('name'); it.open = true; })";

/// What can be reached by the keyboard, in the order of the page: of choices of
/// which one is taken that one, or the first.
const MARK_CONTROLS: &str = "(() => { const stop = it => it.type !== 'radio' || it.checked || \
    [...document.querySelectorAll(`[name=\"${it.name}\"]`)].every((other, at) => \
    !other.checked && (at > 0 || other === it)); \
    const all = [...document.querySelectorAll('a, button, summary, select, input, textarea')] \
    .filter(it => it.type !== 'hidden' && it.checkVisibility() && stop(it)); \
    all.forEach((it, at) => it.dataset.at = at); const top = document.createElement('i'); \
    top.tabIndex = -1; document.body.prepend(top); top.focus(); return all.length; })()";

/// Which control is focused, and whether its ring is seen.
const FOCUSED: &str = "(() => { const it = document.activeElement; const style = getComputedStyle(it); \
    return { at: it.dataset.at ?? null, ring: style.outlineStyle !== 'none' && \
    parseFloat(style.outlineWidth) >= 2, tag: it.tagName, kind: it.type ?? '' }; })()";

/// Checks every page, and says what is wrong.
/// Without a Chromium that is a failure, unless the check is optional.
pub(super) fn run(place: &Place, stop: &Stop, is_optional: bool) -> Result<(), Failure> {
    let Some(program) = Browser::program() else { return unseen(is_optional) };
    let folder = place.of("target/page-check");
    fs::create_dir_all(folder.join("pages")).trying("make target/page-check")?;
    write_pages(place, stop, &folder.join("pages"))?;
    let mut pages: Vec<String> = fs::read_dir(folder.join("pages"))
        .trying("read the pages")?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".html"))
        .collect();
    pages.sort_unstable();
    let server = Server::start(&folder.join("pages"))?;
    let mut browser = Browser::start(&program, &folder.join("profile"))?;
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }))?;
    let axe = std::env::var_os("AXE_CORE").map(fs::read_to_string);
    let axe = axe.transpose().trying("read AXE_CORE")?;
    let mut check = Check { browser, server, folder, axe, faults: Vec::new(), looks: 0 };
    for page in &pages {
        stop.check()?;
        check.page(page)?;
    }
    check.form()?;
    check.survey()?;
    report(&check, pages.len())
}

/// The end without a browser.
fn unseen(is_optional: bool) -> Result<(), Failure> {
    let what = "There is no Chromium here, so the pages were not looked at.";
    if is_optional {
        return show::line(what);
    }
    Err(Failure::new(what).remedy(
        "Install one, or name it: CHROMIUM=/path/to/chrome cargo dev page-check. \
         With --optional the check is passed over.",
    ))
}

fn report(check: &Check, pages: usize) -> Result<(), Failure> {
    let axe = if check.axe.is_some() { ", with axe-core" } else { "" };
    show::line(format!(
        "{pages} pages, {} looks{axe}; pictures in target/page-check.",
        check.looks
    ))?;
    if check.faults.is_empty() {
        return show::line("Nothing is wrong with them.");
    }
    for fault in &check.faults {
        show::line(fault)?;
    }
    Err(Failure::new(format!("{} things are wrong.", check.faults.len())))
}

/// Has the tests write every page.
fn write_pages(place: &Place, stop: &Stop, folder: &Path) -> Result<(), Failure> {
    for old in fs::read_dir(folder).trying("read the pages")?.flatten() {
        fs::remove_file(old.path()).trying("remove an old page")?;
    }
    for package in PACKAGES {
        let mut cargo = binaries::cargo(place);
        cargo.args(["test", "--package", package, "--lib", "--", "pages::tests::every_page_is"]);
        cargo.env("PAGES_DIR", folder);
        let said = child::run(&mut cargo, stop, |_| ())?;
        if !said.ok {
            return Err(Failure::new(said.last_words(20)));
        }
    }
    Ok(())
}

struct Check {
    browser: Browser,
    server: Server,
    folder: PathBuf,
    axe: Option<String>,
    faults: Vec<String>,
    looks: u32,
}

impl Check {
    fn page(&mut self, page: &str) -> Result<(), Failure> {
        for screen in &SCREENS {
            for scheme in SCHEMES {
                let look = format!("{}-{}-{scheme}", page.trim_end_matches(".html"), screen.name);
                self.look(page, screen, scheme, &look)?;
            }
        }
        Ok(())
    }

    fn look(
        &mut self,
        page: &str,
        screen: &Screen,
        scheme: &str,
        look: &str,
    ) -> Result<(), Failure> {
        self.looks = self.looks.saturating_add(1);
        self.screen(screen, scheme)?;
        self.browser.open(&self.server.address(page))?;
        if screen.pictured {
            self.picture(screen, look)?;
        }
        self.measure(look)?;
        if scheme == "light" && screen.pictured {
            self.keyboard(look)?;
            self.tree(look)?;
        }
        self.browser.evaluate(UNFOLD)?;
        self.measure(&format!("{look}, unfolded"))?;
        if scheme == "light" && screen.pictured {
            self.keyboard(&format!("{look}, unfolded"))?;
        }
        self.axe(look)
    }

    fn screen(&mut self, screen: &Screen, scheme: &str) -> Result<(), Failure> {
        let (width, height) = screen.size;
        let metrics = json!({
            "width": width, "height": height, "mobile": screen.is_phone,
            "deviceScaleFactor": if screen.is_phone { 2 } else { 1 },
        });
        self.browser.call("Emulation.setDeviceMetricsOverride", metrics)?;
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.browser.call("Emulation.setEmulatedMedia", json!({ "features": features }))?;
        Ok(())
    }

    fn picture(&mut self, screen: &Screen, look: &str) -> Result<(), Failure> {
        let sizes = self.browser.call("Page.getLayoutMetrics", json!({}))?;
        let height = sizes["cssContentSize"]["height"].clone();
        let clip = json!({ "x": 0, "y": 0, "width": screen.size.0, "height": height, "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.browser.call("Page.captureScreenshot", wanted)?;
        let bytes = BASE64.decode(picture["data"].as_str().unwrap_or_default().as_bytes());
        let bytes = bytes.trying("read the picture")?;
        fs::write(self.folder.join(format!("{look}.png")), bytes).trying("keep the picture")
    }

    fn measure(&mut self, look: &str) -> Result<(), Failure> {
        let found = self.browser.evaluate(MEASURE)?;
        for fault in found.as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.faults.push(format!("{look}: {fault}"));
        }
        Ok(())
    }

    /// The Tab key reaches every control, in the order of the page, and each has
    /// a ring when it is there. A date has several parts of its own.
    fn keyboard(&mut self, look: &str) -> Result<(), Failure> {
        let controls = self.browser.evaluate(MARK_CONTROLS)?.as_u64().unwrap_or(0);
        let mut next = 0;
        for _ in 0..MAX_CONTROLS {
            if next == controls {
                return Ok(());
            }
            self.browser.press("Tab", 9, "")?;
            let focused = self.browser.evaluate(FOCUSED)?;
            let at = focused["at"].as_str().and_then(|at| at.parse::<u64>().ok());
            if focused["kind"] == "date" && at.is_some_and(|at| at.saturating_add(1) == next) {
                continue;
            }
            if at != Some(next) || focused["ring"] != true {
                self.faults.push(format!("{look}: Tab {next} of {controls} came to {focused}"));
                return Ok(());
            }
            next = next.saturating_add(1);
        }
        self.faults.push(format!("{look}: more than {MAX_CONTROLS} controls"));
        Ok(())
    }

    /// What screen readers get: landmarks once, and a name for whatever one acts on.
    fn tree(&mut self, look: &str) -> Result<(), Failure> {
        let tree = self.browser.call("Accessibility.getFullAXTree", json!({}))?;
        let nodes: Vec<&Value> = tree["nodes"].as_array().into_iter().flatten().collect();
        let nodes: Vec<&Value> = nodes.into_iter().filter(|node| node["ignored"] != true).collect();
        let role = |node: &Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
        for (landmark, least) in [("main", 1), ("banner", 1), ("navigation", 0)] {
            let count = nodes.iter().filter(|node| role(node) == landmark).count();
            if count < least || count > 1 {
                self.faults.push(format!("{look}: {count} of the landmark {landmark}"));
            }
        }
        let acts = [
            "link",
            "button",
            "textbox",
            "radio",
            "checkbox",
            "Date",
            "DisclosureTriangle",
            "heading",
            "list",
            "region",
        ];
        for node in nodes {
            let named = node["name"]["value"].as_str().is_some_and(|name| !name.trim().is_empty());
            let needs = acts.contains(&role(node).as_str()) && role(node) != "list";
            if needs && !named {
                self.faults.push(format!("{look}: a {} without a name", role(node)));
            }
        }
        Ok(())
    }

    fn axe(&mut self, look: &str) -> Result<(), Failure> {
        let Some(axe) = self.axe.clone() else { return Ok(()) };
        self.browser.evaluate(&axe)?;
        let run = "axe.run().then(all => all.violations.flatMap(it => \
                   it.nodes.map(node => `${it.id}: ${node.html.slice(0, 120)}`)))";
        let found = self.browser.evaluate(run)?;
        for fault in found.as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.faults.push(format!("{look}: axe {fault}"));
        }
        Ok(())
    }

    /// A survey is answered by the keyboard alone, without a script: what is asked
    /// after an answer appears with it, and what was tapped is sent as it is.
    fn survey(&mut self) -> Result<(), Failure> {
        self.screen(&SCREENS[0], "light")?;
        self.browser.open(&self.server.address("survey-every-kind-en.html"))?;
        self.asked(&[])?;
        let (tab, space, right) = (("Tab", 9, ""), (" ", 32, " "), ("ArrowRight", 39, ""));
        self.presses(&[tab, tab, space, right, right, right])?;
        self.asked(&["wrong"])?;
        self.presses(&[tab, tab, space])?;
        self.asked(&["wrong", "damage"])?;
        self.picture(&SCREENS[0], "survey-keyboard-en-phone-light")?;
        self.presses(&[tab, tab, space, tab, space, ("Enter", 13, "\r")])?;
        self.browser.loaded("the page after the survey")?;
        let nothing = "products.TEA=&products.CUP=&comment=";
        self.sent(&format!("recommend=3&wrong=damaged&damage=box&content=1&praise=&{nothing}"));
        self.browser.open(&self.server.address("survey-tapped-en.html"))?;
        self.presses(&[tab, tab, ("Enter", 13, "\r")])?;
        self.browser.loaded("the page after the tapped survey")?;
        self.sent(&format!("recommend=9&{nothing}"));
        Ok(())
    }

    /// Of the questions that depend on an answer just these are shown.
    fn asked(&mut self, shown: &[&str]) -> Result<(), Failure> {
        let seen = "['wrong', 'damage', 'praise'].filter(it => \
                    document.getElementById('q-' + it).checkVisibility())";
        let found = self.browser.evaluate(seen)?;
        if found != json!(shown) {
            self.faults.push(format!("the survey asks {found}, not {shown:?}"));
        }
        Ok(())
    }

    fn presses(&mut self, keys: &[(&str, u32, &str)]) -> Result<(), Failure> {
        keys.iter().try_for_each(|(key, code, text)| self.browser.press(key, *code, text))
    }

    fn sent(&mut self, form: &str) {
        let sent = self.server.sent().pop().unwrap_or_default();
        if sent != form {
            self.faults.push(format!("the survey sent {sent}, not {form}"));
        }
    }

    /// A choice is sent by the keyboard alone, without a script.
    fn form(&mut self) -> Result<(), Failure> {
        self.screen(&SCREENS[0], "light")?;
        self.browser.open(&self.server.address("lost-en.html"))?;
        for (presses, key, code, text) in
            [(2, "Tab", 9, ""), (1, "Enter", 13, "\r"), (1, "Tab", 9, "")]
        {
            for _ in 0..presses {
                self.browser.press(key, code, text)?;
            }
        }
        self.browser.call("Input.insertText", json!({ "text": "Please hurry & thanks" }))?;
        self.browser.press("Tab", 9, "")?;
        self.browser.press("Enter", 13, "\r")?;
        self.browser.loaded("the page after the form")?;
        let sent = self.server.sent();
        let fits = |body: &String| {
            body.starts_with("alert=alt_")
                && body.ends_with("&choice=reship&note=Please+hurry+%26+thanks")
        };
        if !sent.last().is_some_and(fits) {
            self.faults.push(format!("the form sent {sent:?}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_browser_it_fails_unless_it_is_optional() {
        let remedy = match unseen(false) {
            Err(Failure::Trouble { remedy, .. }) => remedy,
            other => panic!("{other:?}"),
        };
        assert!(remedy.contains("CHROMIUM=") && remedy.contains("--optional"), "{remedy}");
        assert!(unseen(true).is_ok());
    }
}
