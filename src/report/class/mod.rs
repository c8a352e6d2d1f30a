//! A pasted class beside a checkpoint: whether it fits, which line to change if it nearly does, and what the file is if it
//! does not.

mod diff;
mod search;
mod words;

use serde::Serialize;
use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::models::for_class::{Fit, compare_registered, fit_registered};
use crate::models::identify::identify;
use crate::models::pasted::{self, Pasted};
use crate::torch_source::{self, Argument, Described, Description, Options, RegisteredKey, notebook};

pub use super::loading::Loading;
pub use diff::DiffLine;
pub use search::Edited;

/// How a class and a file stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// There are no weights yet.
    Waits,
    /// Every key and shape is the file's: it runs.
    Fits,
    /// A small change makes it fit.
    Nearly,
    /// The file belongs to something else.
    Other,
    /// The class has arguments that neither the paste nor the weights decide.
    Asks,
    /// The paste cannot be followed.
    Unread,
}

/// A key at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyFault {
    /// The class's key, or the file's where only the file has it.
    pub key: String,
    /// The class's shape.
    pub expected: Option<Vec<usize>>,
    /// The file's shape.
    pub found: Option<Vec<usize>>,
    /// Where the class makes it: `line 12`, `code cell 3, line 4`; empty if nowhere.
    pub place: String,
}

/// The report; its JSON is what the page shows, and `infill inspect --class` with `--json`.
#[derive(Debug, Serialize)]
pub struct ClassReport {
    /// How they stand to each other.
    pub state: State,
    /// The class that is meant; empty if the paste has none.
    pub class: String,
    /// Every class of the paste with a `forward`, the last one first.
    pub classes: Vec<String>,
    /// What is to be said first: one sentence, or an error's.
    pub message: String,
    /// What else is to be said, one sentence each.
    pub notes: Vec<String>,
    /// What the class is made with.
    pub arguments: Vec<Argument>,
    /// Keys at fault: those of another shape, then those only the class has, then those only the file has.
    pub faults: Vec<KeyFault>,
    /// The smallest edit of the paste that makes it fit.
    pub edit: Option<Edited>,
    /// How the weights are loaded in Python.
    pub loading: Option<Loading>,
    /// Id and name of the known network that the file belongs to instead.
    pub instead: Option<(String, String)>,
    /// What `forward` takes: name and channels.
    pub inputs: Vec<(String, usize)>,
    /// The tensors that `forward` returns, and which of them is taken.
    pub returned: Vec<Value>,
    /// Index into `returned`.
    pub taken: usize,
    /// Side of the squares that it runs on.
    pub side: Option<usize>,
}

impl ClassReport {
    fn new(state: State, message: String) -> Self {
        Self {
            state,
            class: String::new(),
            classes: Vec::new(),
            message,
            notes: Vec::new(),
            arguments: Vec::new(),
            faults: Vec::new(),
            edit: None,
            loading: None,
            instead: None,
            inputs: Vec::new(),
            returned: Vec::new(),
            taken: 0,
            side: None,
        }
    }

    /// What is known of a class that was followed, or not.
    fn of(mut self, class: &Described) -> Self {
        self.class.clone_from(&class.name);
        self.arguments.clone_from(&class.arguments);
        if let Ok(description) = &class.network {
            let inputs = description.network.inputs();
            self.inputs = inputs.map(|(_, name, channels)| (name.to_owned(), channels)).collect();
            let one =
                |returned: &torch_source::Returned| json!({"place": returned.place, "shape": returned.shape.sides()});
            self.returned = description.returned.iter().map(one).collect();
            self.taken = description.taken;
            self.side = description.network.traced.first().map(|shape| shape.height());
        }
        self
    }
}

/// Reads a paste, and holds it against a checkpoint if there is one.
pub fn read_class(checkpoint: Option<&dyn Checkpoint>, file: &str, pasted: &Pasted<'_>) -> ClassReport {
    let told = |error: &Error| notebook::placed(&error.message, pasted.source);
    let shapes = checkpoint.map(pasted::shapes_of).unwrap_or_default();
    let classes = match pasted::described(pasted, &shapes) {
        Ok(classes) => classes,
        Err(error) => return ClassReport::new(State::Unread, told(&error)),
    };
    let mut report = match checkpoint {
        Some(checkpoint) => Beside { checkpoint, file, pasted, classes: &classes }.report(),
        None => waiting(&classes, pasted),
    };
    report.classes = classes.iter().map(|class| class.name.clone()).collect();
    report
}

/// The class that is most likely meant: the last one that is no part of another, and that can be followed if any can.
fn meant(classes: &[Described]) -> Option<&Described> {
    let whole = || classes.iter().filter(|class| !class.is_part);
    whole().find(|class| class.network.is_ok()).or_else(|| whole().next()).or_else(|| classes.first())
}

/// A paste without weights.
fn waiting(classes: &[Described], pasted: &Pasted<'_>) -> ClassReport {
    let Some(class) = meant(classes) else { return ClassReport::new(State::Unread, String::new()) };
    let report = match &class.network {
        Ok(_) => ClassReport::new(State::Waits, words::waits(class)),
        Err(_) if class.asked().next().is_some() => ClassReport::new(State::Waits, words::waits_to_ask(class)),
        Err(error) => ClassReport::new(State::Unread, notebook::placed(&error.message, pasted.source)),
    };
    report.of(class)
}

/// The classes of a paste beside a file.
struct Beside<'a> {
    checkpoint: &'a dyn Checkpoint,
    file: &'a str,
    pasted: &'a Pasted<'a>,
    classes: &'a [Described],
}

/// A class by what its `__init__` registers.
struct ByKeys {
    /// Index into the classes.
    class: usize,
    keys: Vec<RegisteredKey>,
    fit: Fit,
}

impl Beside<'_> {
    fn report(&self) -> ClassReport {
        let followed = pasted::best(self.checkpoint, self.classes);
        if let Some((class, description, fit)) = &followed
            && pasted::runs(fit, self.pasted.leaves_out)
        {
            return self.fits(class, description, fit);
        }
        let by_keys = self.by_keys();
        let asks = meant(self.classes).filter(|class| class.asked().next().is_some() && class.network.is_err());
        let is_near =
            |found: &ByKeys| found.fit.diff.fitting * 2 >= found.fit.diff.wanted && found.fit.diff.fitting > 0;
        let report = match by_keys {
            // Every key is there, and only `forward` is not followed.
            Some(found) if found.fit.diff.is_empty() && self.classes[found.class].network.is_err() => {
                self.unread(&found)
            }
            Some(found) if asks.is_none() || is_near(&found) => self.near_or_other(&found),
            _ => match (asks, meant(self.classes)) {
                (Some(class), _) => ClassReport::new(State::Asks, words::asks(class, self.file)).of(class),
                (None, Some(class)) => {
                    let fault = class.network.as_ref().err().map_or_else(String::new, |error| error.message.clone());
                    ClassReport::new(State::Unread, notebook::placed(&fault, self.pasted.source)).of(class)
                }
                (None, None) => ClassReport::new(State::Unread, String::new()),
            },
        };
        self.with_instead(report)
    }

    fn fits(&self, class: &Described, description: &Description, fit: &Fit) -> ClassReport {
        let mut report = ClassReport::new(State::Fits, words::fits(class, self.file, &fit.diff)).of(class);
        report.notes.extend(words::made(class));
        report.notes.extend(words::returned(description));
        report.loading = Some(self.loading(fit, &fit.diff.unexpected));
        report
    }

    /// The class whose registered keys have the fewest faults.
    fn by_keys(&self) -> Option<ByKeys> {
        let options = Options { class_args: self.pasted.class_args, ..Options::default() };
        let all = torch_source::registered(self.pasted.source, options).ok()?;
        let each = all.into_iter().enumerate().filter_map(|(class, registered)| {
            let keys = registered.keys.ok().filter(|keys| !keys.is_empty())?;
            let fit = fit_registered(self.checkpoint, &keys)?;
            Some(ByKeys { class, keys, fit })
        });
        // A part of the network that happens to be in the file is not the network: what fits counts first.
        each.reduce(|best, next| {
            let rank = |found: &ByKeys| (found.fit.diff.fitting, std::cmp::Reverse(found.fit.diff.faults().len()));
            if rank(&next) > rank(&best) { next } else { best }
        })
    }

    fn unread(&self, found: &ByKeys) -> ClassReport {
        let class = &self.classes[found.class];
        let fault = class.network.as_ref().err().map_or_else(String::new, |error| error.message.clone());
        let mut report = ClassReport::new(State::Unread, notebook::placed(&fault, self.pasted.source)).of(class);
        report.notes.push(words::fits_unread(class, self.file));
        report.loading = Some(self.loading(&found.fit, &[]));
        report
    }

    fn near_or_other(&self, found: &ByKeys) -> ClassReport {
        let class = &self.classes[found.class];
        // What belongs to another network entirely is not looked for.
        let is_another = found.fit.diff.fitting * 2 < found.fit.diff.wanted
            && identify(self.checkpoint).iter().any(|known| known.fits());
        let edit = if is_another { None } else { search::Search::new(self, found).run() };
        let leaves_out = pasted::runs(&found.fit, true) && class.network.is_ok();
        let state = if edit.is_some() || leaves_out { State::Nearly } else { State::Other };
        let message = match (&edit, state) {
            (Some(edit), _) => words::nearly(class, self.file, edit),
            (None, State::Nearly) => words::leaves_out(class, self.file, &found.fit.diff),
            _ => words::other(class, self.file, &found.fit.diff),
        };
        let mut report = ClassReport::new(state, message).of(class);
        report.faults = self.faults(found);
        report.notes.extend(words::why(&report.faults));
        if state == State::Other {
            report.notes.extend(words::hint(&found.fit.diff));
        }
        if leaves_out {
            report.loading = Some(self.loading(&found.fit, &found.fit.diff.unexpected));
        } else if edit.is_some() {
            report.loading = Some(self.loading(&found.fit, &[]));
        }
        report.edit = edit;
        report
    }

    fn loading(&self, fit: &Fit, left_out: &[String]) -> Loading {
        let part = fit.names.view(&self.checkpoint.state_dicts()[fit.dict]);
        Loading::of(self.checkpoint, self.file, &part, left_out)
    }

    fn faults(&self, found: &ByKeys) -> Vec<KeyFault> {
        let diff = &found.fit.diff;
        let line = |key: &str| found.keys.iter().find(|own| own.key == key).map_or(0, |own| own.line);
        let place = |key: &str| match line(key) {
            0 => String::new(),
            line => notebook::place(self.pasted.source, line),
        };
        let own = |key: &str| found.keys.iter().find(|own| own.key == key).map(|own| own.shape.clone());
        let view = found.fit.names.view(&self.checkpoint.state_dicts()[found.fit.dict]).into_owned();
        let stored =
            |key: &str| view.tensors.iter().find(|tensor| tensor.key == key).map(|tensor| tensor.shape.clone());
        let fault = |key: &str, expected, found| KeyFault { key: key.to_owned(), expected, found, place: place(key) };
        let mismatched = diff.mismatched.iter().map(|m| fault(&m.key, Some(m.expected.clone()), Some(m.found.clone())));
        let missing = diff.missing.iter().map(|key| fault(key, own(key), None));
        let unexpected = diff.unexpected.iter().map(|key| fault(key, None, stored(key)));
        mismatched.chain(missing).chain(unexpected).collect()
    }

    /// What the file is, where it is not the class's.
    fn with_instead(&self, mut report: ClassReport) -> ClassReport {
        if report.state == State::Nearly {
            return report;
        }
        let known = identify(self.checkpoint).into_iter().find(|found| found.fits());
        if let Some(known) = known {
            report.notes.insert(0, words::instead(self.file, &known));
            report.instead = Some((known.model.id.clone(), known.model.name.clone()));
        } else if report.state == State::Other {
            report.notes.extend(words::unknown(self.checkpoint));
        }
        report
    }

    /// How a class's keys lie in the file once it has been edited.
    fn compared(&self, keys: &[RegisteredKey], fit: &Fit) -> crate::models::identify::KeyDiff {
        compare_registered(keys, &fit.names.view(&self.checkpoint.state_dicts()[fit.dict]))
    }
}

#[cfg(test)]
mod tests;
