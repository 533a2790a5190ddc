//! What is counted of surveys: how many were asked, how many answered, and what.
//!
//! An invitation is counted in the month (UTC) in which it was sent, and so is
//! its answer, whenever that comes: those who were asked and those who answered
//! are the same people, and a response rate means what it says. An answer is
//! counted in the column of everybody and in those of what its invitation is
//! about; an invitation in these, too, except those of products.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    customer::Country,
    months,
    product::Sku,
    shipment::Carrier,
    stock::LocationId,
    survey::{About, ChoiceId, Given, Invite, InviteStatus, QuestionId, Taste},
    text::Text,
};

/// In how many columns a month's invitations are counted at a touchpoint, besides
/// everybody's: so many keep their item within a kilobyte, the least that a write
/// is charged for, and every invitation writes it. The first that come are
/// counted, carriers and tiers before lanes. Of those beyond, answers are counted
/// and no response rate is told, as of products.
pub const SENT_COLUMNS_MAX: usize = 40;

/// Whose answers are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// Everybody's.
    All,
    /// Of those to whom a carrier brought the order.
    Carrier(Carrier),
    /// Of those whose order went from somewhere to somewhere.
    Lane(LocationId, Country),
    /// Of those in a tier; of those in none, guests among them.
    Tier(Option<Text<40>>),
    /// Of those who were asked about a product.
    Sku(Sku),
}

/// By what the columns of a report differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// By carrier.
    Carrier,
    /// By lane.
    Lane,
    /// By tier.
    Tier,
    /// By product.
    Sku,
}

impl Dimension {
    /// What the names of its columns begin with, before `#`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Lane => "lane",
            Self::Tier => "tier",
            Self::Sku => "sku",
        }
    }
}

impl Column {
    /// The columns in which an invitation about this is counted.
    #[must_use]
    pub fn of(about: &About) -> BTreeSet<Self> {
        let mut columns = BTreeSet::from([Self::All, Self::Tier(about.tier.clone())]);
        columns.extend(about.carrier.map(Self::Carrier));
        columns.extend(about.lane.clone().map(|(from, to)| Self::Lane(from, to)));
        columns.extend(about.products.iter().cloned().map(Self::Sku));
        columns
    }

    /// The dimension whose column it is; everybody's is of none.
    #[must_use]
    pub const fn dimension(&self) -> Option<Dimension> {
        match self {
            Self::All => None,
            Self::Carrier(_) => Some(Dimension::Carrier),
            Self::Lane(..) => Some(Dimension::Lane),
            Self::Tier(_) => Some(Dimension::Tier),
            Self::Sku(_) => Some(Dimension::Sku),
        }
    }

    /// Reads what its display wrote: `all`, `carrier#easypost`, `lane#main#GB`,
    /// `tier#gold`, `tier#`, `sku#TEA`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('#') {
            None => (text == "all").then_some(Self::All),
            Some(("carrier", carrier)) => Carrier::parse(carrier).map(Self::Carrier),
            Some(("lane", lane)) => {
                let (from, to) = lane.split_once('#')?;
                let to = Country::try_from(to.to_owned()).ok()?;
                Some(Self::Lane(LocationId::parse(from).ok()?, to))
            }
            Some(("tier", "")) => Some(Self::Tier(None)),
            Some(("tier", tier)) => Text::new(tier).ok().map(|tier| Self::Tier(Some(tier))),
            Some(("sku", sku)) => Sku::parse(sku).ok().map(Self::Sku),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Carrier(carrier) => write!(f, "carrier#{carrier}"),
            Self::Lane(from, to) => write!(f, "lane#{from}#{}", to.as_str()),
            Self::Tier(tier) => write!(f, "tier#{}", tier.as_ref().map_or("", Text::as_str)),
            Self::Sku(sku) => write!(f, "sku#{sku}"),
        }
    }
}

/// What may be answered to a question, as far as it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Something at all: of questions whose other values say not how many
    /// answered, because they took several, one or none.
    Given,
    /// A number of the scale.
    Score(u8),
    /// This choice.
    Choice(ChoiceId),
    /// A product, in this way.
    Taste(Taste),
}

impl Value {
    /// Reads what its display wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Given),
            "+" => Some(Self::Taste(Taste::Like)),
            "-" => Some(Self::Taste(Taste::Dislike)),
            _ => match text.strip_prefix('=') {
                Some(choice) => ChoiceId::parse(choice).ok().map(Self::Choice),
                None => text.parse().ok().map(Self::Score),
            },
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => Ok(()),
            Self::Score(score) => write!(f, "{score}"),
            Self::Choice(choice) => write!(f, "={choice}"),
            Self::Taste(Taste::Like) => f.write_str("+"),
            Self::Taste(Taste::Dislike) => f.write_str("-"),
        }
    }
}

/// One thing that an answer adds to what is counted, once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// To which question.
    pub question: QuestionId,
    /// What.
    pub value: Value,
    /// Of which product, where that is what was judged.
    pub sku: Option<Sku>,
}

impl Mark {
    /// What an answer adds, each once. Of words it counts only that there are some.
    #[must_use]
    pub fn of(given: &BTreeMap<QuestionId, Given>) -> BTreeSet<Self> {
        given.iter().flat_map(|(question, given)| Self::of_one(question, given)).collect()
    }

    fn of_one(question: &QuestionId, given: &Given) -> Vec<Self> {
        let mark = |value, sku| Self { question: question.clone(), value, sku };
        let all = || mark(Value::Given, None);
        match given {
            Given::Score(score) => vec![mark(Value::Score(*score), None)],
            Given::Text(_) => vec![all()],
            Given::Choices(choices) => {
                let chosen = choices.iter().map(|it| mark(Value::Choice(it.clone()), None));
                chosen.chain([all()]).collect()
            }
            Given::Products(products) => {
                let judged = products
                    .iter()
                    .map(|(sku, taste)| mark(Value::Taste(*taste), Some(sku.clone())));
                judged.chain([all()]).collect()
            }
        }
    }

    /// Whether it is counted in this column: what was said of a product is not
    /// counted with another one.
    #[must_use]
    pub fn is_in(&self, column: &Column) -> bool {
        match (&self.sku, column) {
            (Some(sku), Column::Sku(column)) => sku == column,
            _ => true,
        }
    }

    /// Reads what its display wrote: `recommend#9`, `reason#=late`, `products#+TEA`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (question, value) = text.split_once('#')?;
        let question = QuestionId::parse(question).ok()?;
        let (value, sku) = match value.split_at_checked(1) {
            Some((taste @ ("+" | "-"), sku)) => (taste, Some(Sku::parse(sku).ok()?)),
            _ => (value, None),
        };
        Some(Self { question, value: Value::parse(value)?, sku })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sku = self.sku.as_ref().map_or("", Sku::as_str);
        write!(f, "{}#{}{sku}", self.question, self.value)
    }
}

/// What was counted of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// The revision of the answer; 0 while none was counted.
    pub revision: u32,
    /// What it added.
    pub marks: BTreeSet<Mark>,
}

/// What is counted in a column, of a month or of several together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were invited, as far as it is counted.
    pub sent: u64,
    /// How many have answered.
    pub answered: u64,
    /// How many of these where nobody counts who was invited.
    pub unasked: u64,
    /// How often each value was given, by question.
    pub values: BTreeMap<QuestionId, BTreeMap<Value, u64>>,
}

impl Counts {
    /// These and those.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.sent = self.sent.saturating_add(other.sent);
        self.answered = self.answered.saturating_add(other.answered);
        self.unasked = self.unasked.saturating_add(other.unasked);
        for (question, values) in &other.values {
            let known = self.values.entry(question.clone()).or_default();
            for (value, count) in values {
                let sum = known.entry(value.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
        self
    }

    /// These without those, which are some of them.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.sent = self.sent.saturating_sub(other.sent);
        self.answered = self.answered.saturating_sub(other.answered);
        self.unasked = self.unasked.saturating_sub(other.unasked);
        for (question, values) in &mut self.values {
            let Some(less) = other.values.get(question) else { continue };
            for (value, count) in values {
                *count = count.saturating_sub(less.get(value).copied().unwrap_or(0));
            }
        }
        self
    }

    /// How many were invited; none, if that is not counted of all of them.
    #[must_use]
    pub fn invited(&self) -> Option<u64> {
        (self.unasked == 0).then_some(self.sent)
    }

    /// How often a value was given to a question.
    #[must_use]
    pub fn count(&self, question: &QuestionId, value: &Value) -> u64 {
        self.values.get(question).and_then(|it| it.get(value)).copied().unwrap_or(0)
    }
}

/// How many were invited at a touchpoint in a month, by column.
///
/// Of products it is not counted: an order has many, and each would be another
/// counter of every invitation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent(BTreeMap<Column, u64>);

impl FromIterator<(Column, u64)> for Sent {
    fn from_iter<I: IntoIterator<Item = (Column, u64)>>(columns: I) -> Self {
        Self(columns.into_iter().collect())
    }
}

impl Sent {
    /// In which columns one more invitation about this is counted: everybody's
    /// always, others up to [`SENT_COLUMNS_MAX`].
    #[must_use]
    pub fn columns_of(&self, about: &About) -> BTreeSet<Column> {
        let known = self.0.keys().filter(|column| **column != Column::All).count();
        let mut room = SENT_COLUMNS_MAX.saturating_sub(known);
        let mut columns: Vec<Column> = Column::of(about).into_iter().collect();
        columns.retain(|column| column.dimension() != Some(Dimension::Sku));
        columns.sort_by_key(|column| column.dimension() == Some(Dimension::Lane));
        let mut takes = |column: &Column| {
            if *column == Column::All || self.0.contains_key(column) {
                return true;
            }
            let has_room = room > 0;
            room = room.saturating_sub(1);
            has_room
        };
        columns.retain(|column| takes(column));
        columns.into_iter().collect()
    }

    /// Counts one more invitation in these columns.
    pub fn add(&mut self, columns: BTreeSet<Column>) {
        for column in columns {
            let count = self.0.entry(column).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// What was answered in a column, with how many were invited.
    #[must_use]
    pub fn with(&self, column: &Column, answers: Counts) -> Counts {
        match self.0.get(column) {
            Some(sent) if *sent >= answers.answered => Counts { sent: *sent, ..answers },
            // Where two at once found room for the last column, or where none was.
            _ => Counts { unasked: answers.answered, ..answers },
        }
    }

    /// The columns of a dimension after this one by name, as they are while
    /// nobody has answered.
    pub fn by(
        &self,
        dimension: Dimension,
        after: Option<&Column>,
    ) -> impl Iterator<Item = (Column, Counts)> {
        let after = after.map(Column::to_string);
        let is_of = move |column: &Column| {
            column.dimension() == Some(dimension)
                && after.as_ref().is_none_or(|after| column.to_string() > *after)
        };
        let columns = self.0.iter().filter(move |(column, _)| is_of(column));
        columns.map(|(column, sent)| (column.clone(), Counts { sent: *sent, ..Counts::default() }))
    }
}

/// What changes in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which.
    pub column: Column,
    /// How many more have answered.
    pub answered: i64,
    /// How much more often a value was given.
    pub values: BTreeMap<(QuestionId, Value), i64>,
}

impl Difference {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.answered == 0 && self.values.is_empty()
    }
}

/// The month in which an invitation is counted; none, if it was not sent.
#[must_use]
pub fn month_of(invite: &Invite) -> Option<String> {
    match &invite.status {
        InviteStatus::Sent { at, .. } => Some(months::of(*at)),
        InviteStatus::Answered { sent_at, .. } => Some(months::of(*sent_at)),
        InviteStatus::Scheduled | InviteStatus::Suppressed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_marks_are_read_as_they_were_written() {
        for text in ["all", "carrier#easypost", "lane#main#GB", "tier#", "tier#a#b", "sku#A.b"] {
            assert_eq!(Column::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "none", "carrier#dove", "lane#main", "lane#main#gb", "sku#", "day#1"] {
            assert_eq!(Column::parse(text), None, "{text}");
        }
        for text in ["q#", "q#0", "q#10", "q#=9", "q#=-", "q#+TEA", "q#-TEA"] {
            assert_eq!(Mark::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "q", "#9", "q#x", "q#256", "q#=", "q#+", "q#+ TEA"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }

    #[test]
    fn invitations_are_counted_in_so_many_columns_and_in_no_products() {
        let column = |text: &str| Column::parse(text).unwrap();
        let about = |lane: &str, tier: &str| About {
            carrier: Some(Carrier::Generic),
            lane: Some((
                LocationId::parse(lane).unwrap(),
                Country::try_from("GB".to_owned()).unwrap(),
            )),
            tier: Text::new(tier).ok(),
            products: vec![Sku::parse("TEA").unwrap()],
            ..About::default()
        };
        let names = |columns: BTreeSet<Column>| -> Vec<String> {
            columns.iter().map(Column::to_string).collect()
        };
        let mut sent = Sent::default();
        let first = ["all", "carrier#generic", "lane#main#GB", "tier#gold"];
        assert_eq!(names(sent.columns_of(&about("main", "gold"))), first);
        sent.add(sent.columns_of(&about("main", "gold")));
        for number in 0..SENT_COLUMNS_MAX * 2 {
            sent.add(sent.columns_of(&about(&format!("l{number}"), "gold")));
        }
        assert_eq!(sent.0.len(), SENT_COLUMNS_MAX + 1, "everybody's beside them");
        assert_eq!(names(sent.columns_of(&about("main", "gold"))), first, "these are known");
        let few = ["all", "carrier#generic"];
        assert_eq!(names(sent.columns_of(&about("other", "red"))), few, "there is no room");
        assert_eq!(sent.0.get(&Column::All), Some(&81));
        // A tier goes before a lane where there is room for one.
        sent.0.remove(&column("lane#l0#GB"));
        let one = ["all", "carrier#generic", "tier#red"];
        assert_eq!(names(sent.columns_of(&about("other", "red"))), one);
    }

    #[test]
    fn a_response_is_known_where_all_who_were_invited_are_counted() {
        let column = |text: &str| Column::parse(text).unwrap();
        let answers = |answered| Counts { answered, ..Counts::default() };
        let sent: Sent = [("all", 9), ("lane#main#GB", 4), ("lane#main#US", 1)]
            .map(|(name, count)| (column(name), count))
            .into_iter()
            .collect();
        let known = sent.with(&column("lane#main#GB"), answers(3));
        assert_eq!((known.invited(), known.answered), (Some(4), 3));
        let unknown = sent.with(&column("sku#TEA"), answers(2));
        assert_eq!(unknown.invited(), None);
        assert_eq!(sent.with(&column("lane#main#FR"), answers(0)).invited(), Some(0));
        assert_eq!(
            sent.with(&column("lane#main#US"), answers(2)).invited(),
            None,
            "one is missing"
        );
        assert_eq!(known.clone().and(&unknown).invited(), None);
        assert_eq!(known.clone().and(&unknown).without(&unknown), known);
        let lanes = |after| sent.by(Dimension::Lane, after).map(|(it, _)| it.to_string());
        assert_eq!(lanes(None).collect::<Vec<_>>(), ["lane#main#GB", "lane#main#US"]);
        assert_eq!(lanes(Some(&column("lane#main#GB"))).collect::<Vec<_>>(), ["lane#main#US"]);
    }

    #[test]
    fn an_answer_is_counted_with_what_it_is_about() {
        let sku = |text| Sku::parse(text).unwrap();
        let question = |text| QuestionId::parse(text).unwrap();
        let given = BTreeMap::from([
            (question("a"), Given::Score(9)),
            (question("b"), Given::Choices(vec![ChoiceId::parse("late").unwrap()])),
            (question("c"), Given::Text(Text::new("words").unwrap())),
            (question("d"), Given::Products([(sku("TEA"), Taste::Like)].into())),
        ]);
        let marks = Mark::of(&given);
        let texts: Vec<String> = marks.iter().map(Mark::to_string).collect();
        assert_eq!(texts, ["a#9", "b#", "b#=late", "c#", "d#", "d#+TEA"]);
        let within = |column: Column| marks.iter().filter(|mark| mark.is_in(&column)).count();
        assert_eq!(within(Column::All), 6);
        assert_eq!(within(Column::Sku(sku("TEA"))), 6);
        assert_eq!(within(Column::Sku(sku("MUG"))), 5);
    }
}
