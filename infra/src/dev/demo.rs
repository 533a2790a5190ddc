//! `cargo dev demo`: a day of the shop through its HTTP API, as customers,
//! providers and carriers would call it. It expects something of every answer
//! and ends well only when all of it came true.

mod care;
mod followed;
mod loyalty;
mod meanwhile;
mod parcels;
mod paying;
mod play;
mod quoted;
mod senders;

use std::time::Instant;

use self::play::Play;
use super::{
    child::Stop,
    failure::Failure,
    place::Place,
    running::Running,
    show::{self, bold, faint, green, red},
    up::{Open, Wanted},
};

/// Plays the day on the stack that is up, or on one of its own, which stays
/// open afterwards when that is wanted.
pub(super) fn run(place: &Place, stop: &Stop, port: u16, stay: bool) -> Result<(), Failure> {
    let begun = Instant::now();
    if Running::find(place).is_some() {
        let (running, stack) = Running::stack(place)?;
        show::line("On the stack that is up.\n")?;
        return day(&mut Play::new(&stack, &running, stop)?, begun, true);
    }
    show::line(format!("{}\n", bold("A stack of its own for the demo")))?;
    let wanted = Wanted { port, fresh: true, state: "demo" };
    let mut open = Open::new(place, stop, &wanted)?;
    show::line("")?;
    let outcome = Play::new(&open.stack, &open.running, stop)
        .and_then(|mut play| day(&mut play, begun, stay));
    if stay && outcome.is_ok() {
        show::line("\nThe stack stays open until Ctrl-C.")?;
        open.hold(stop)?;
    }
    drop(open);
    outcome?;
    if stay {
        return show::line("\nClosed.");
    }
    show::line(
        "The stack of the demo is closed again. To look around in it: `cargo dev demo --stay`.",
    )
}

fn day(play: &mut Play<'_>, begun: Instant, stays: bool) -> Result<(), Failure> {
    let outcome = tell(play);
    match &outcome {
        Err(Failure::Unread | Failure::Stopped | Failure::Told) => return outcome,
        Err(Failure::Trouble { what, remedy }) => {
            show::line(format!("\n{} {what}\n{remedy}", red("The day ended early:")))?;
        }
        Ok(()) => {}
    }
    play.summary()?;
    if stays {
        play.pointers()?;
    }
    let took = faint(&show::seconds(begun.elapsed()));
    let (expected, failed) = (play.expected(), play.failed());
    if outcome.is_ok() && failed == 0 {
        return show::line(format!(
            "{}  {took}",
            green(&format!("All {expected} expectations held."))
        ));
    }
    show::line(format!(
        "{}  {took}",
        red(&format!("{failed} of {expected} expectations did not hold."))
    ))?;
    show::line(
        "To see why: `cargo dev up`, `cargo dev demo` in another terminal, then `cargo dev logs`.",
    )?;
    Err(Failure::Told)
}

fn tell(play: &mut Play<'_>) -> Result<(), Failure> {
    play.restock()?;
    quoted::quotes(play)?;
    let order = followed::until_delivered(play)?;
    let guest = meanwhile::guest(play)?;
    paying::four_ways(play)?;
    parcels::two_of_them(play)?;
    meanwhile::change_of_mind(play)?;
    meanwhile::last_piece(play)?;
    meanwhile::refusals(play, &order)?;
    followed::matured(play, &order)?;
    loyalty::member(play)?;
    followed::survey(play, &order, &guest)?;
    care::closed_loop(play)
}
