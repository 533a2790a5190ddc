//! Days and moments as people read them, in every language of the shop. The
//! zone is named once on a page, not with each time.

use super::{
    customer::Language,
    time::{Date, Timestamp, Weekday, Zone},
};

/// Days and moments in a zone, as they are read at a moment in it: a year that
/// is not this one is named.
#[derive(Debug, Clone)]
pub struct Dates<'a> {
    /// The language.
    pub language: Language,
    /// Where the reader's clocks are.
    pub zone: &'a Zone,
    /// The day on which it is read.
    pub today: Date,
}

impl<'a> Dates<'a> {
    /// As they are read at this moment.
    #[must_use]
    pub fn new(language: Language, zone: &'a Zone, now: Timestamp) -> Self {
        Self { language, zone, today: now.date_in(zone) }
    }

    /// A day: `Thu 26 Nov`, `11月26日 周四`.
    #[must_use]
    pub fn day(&self, date: Date) -> String {
        let (year, month, day) = date.parts();
        let weekday = weekday(date.weekday(), self.language);
        let other_year = year != self.today.parts().0;
        match self.language {
            Language::En => {
                let year = if other_year { format!(" {year}") } else { String::new() };
                format!("{weekday} {day} {}{year}", month_name(month))
            }
            Language::Zh => {
                let year = if other_year { format!("{year}年") } else { String::new() };
                format!("{year}{month}月{day}日 {weekday}")
            }
        }
    }

    /// A day with a word for it if it is near: `today, Thu 26 Nov`.
    #[must_use]
    pub fn near_day(&self, date: Date) -> String {
        let day = self.day(date);
        let word = match (self.today.days_until(date), self.language) {
            (0, Language::En) => "today",
            (1, Language::En) => "tomorrow",
            (0, Language::Zh) => "今天",
            (1, Language::Zh) => "明天",
            _ => return day,
        };
        match self.language {
            Language::En => format!("{word}, {day}"),
            Language::Zh => format!("{word}（{day}）"),
        }
    }

    /// A span of days: `Tue 24 to Thu 26 Nov`, `11月24日至26日`.
    #[must_use]
    pub fn span(&self, from: Date, until: Date) -> String {
        if from >= until {
            return self.near_day(until);
        }
        let ((year, month, day), (last_year, last_month, last_day)) = (from.parts(), until.parts());
        let same_month = (year, month) == (last_year, last_month);
        match self.language {
            Language::En if same_month => {
                format!("{} {day} to {}", weekday(from.weekday(), self.language), self.day(until))
            }
            Language::En => format!("{} to {}", self.day(from), self.day(until)),
            Language::Zh if same_month && year == self.today.parts().0 => {
                format!("{month}月{day}日至{last_day}日")
            }
            Language::Zh => format!("{}至{}", self.day(from), self.day(until)),
        }
    }

    /// A moment: `Thu 26 Nov, 14:05`, `11月26日 周四 14:05`.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let (day, time) = (self.day(at.date_in(self.zone)), at.time_in(self.zone));
        match self.language {
            Language::En => format!("{day}, {time}"),
            Language::Zh => format!("{day} {time}"),
        }
    }

    /// A month, always with its year: `Mar 2027`, `2027年3月`.
    #[must_use]
    pub fn month(&self, date: Date) -> String {
        let (year, month, _) = date.parts();
        match self.language {
            Language::En => format!("{} {year}", month_name(month)),
            Language::Zh => format!("{year}年{month}月"),
        }
    }

    /// The name of the zone: `London time`, `北京时间`.
    #[must_use]
    pub fn zone_name(&self) -> String {
        let name = String::from(self.zone.clone());
        let city = name.rsplit('/').next().unwrap_or_default().replace('_', " ");
        match (self.language, name.as_str()) {
            (_, "UTC" | "Etc/UTC") => "UTC".to_owned(),
            (Language::En, _) => format!("{city} time"),
            (Language::Zh, "Asia/Shanghai" | "Asia/Chongqing" | "PRC") => "北京时间".to_owned(),
            (Language::Zh, _) => format!("{city} 时间"),
        }
    }
}

fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let place = usize::try_from(month).unwrap_or_default().saturating_sub(1);
    NAMES.get(place).copied().unwrap_or_default()
}

/// The short name of a day of the week: `Mon`, `周一`.
#[must_use]
pub fn weekday(day: Weekday, language: Language) -> &'static str {
    let (english, chinese) = match day {
        Weekday::Mon => ("Mon", "周一"),
        Weekday::Tue => ("Tue", "周二"),
        Weekday::Wed => ("Wed", "周三"),
        Weekday::Thu => ("Thu", "周四"),
        Weekday::Fri => ("Fri", "周五"),
        Weekday::Sat => ("Sat", "周六"),
        Weekday::Sun => ("Sun", "周日"),
    };
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn days_read_as_people_write_them() {
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        let now = Timestamp::parse("2026-11-23T17:00:00Z").unwrap();
        let read = |language| Dates::new(language, &zone, now);
        let (en, zh) = (read(Language::En), read(Language::Zh));
        assert_eq!(en.today, date("2026-11-24"), "it is the next day there");
        for (of, english, chinese) in [
            ("2026-11-24", "today, Tue 24 Nov", "今天（11月24日 周二）"),
            ("2026-11-25", "tomorrow, Wed 25 Nov", "明天（11月25日 周三）"),
            ("2026-11-23", "Mon 23 Nov", "11月23日 周一"),
            ("2027-01-02", "Sat 2 Jan 2027", "2027年1月2日 周六"),
        ] {
            assert_eq!(en.near_day(date(of)), english);
            assert_eq!(zh.near_day(date(of)), chinese);
        }
        for (from, until, english, chinese) in [
            ("2026-11-26", "2026-11-28", "Thu 26 to Sat 28 Nov", "11月26日至28日"),
            ("2026-11-30", "2026-12-02", "Mon 30 Nov to Wed 2 Dec", "11月30日 周一至12月2日 周三"),
            ("2026-11-25", "2026-11-25", "tomorrow, Wed 25 Nov", "明天（11月25日 周三）"),
        ] {
            assert_eq!(en.span(date(from), date(until)), english);
            assert_eq!(zh.span(date(from), date(until)), chinese);
        }
        assert_eq!(en.month(date("2027-01-02")), "Jan 2027");
        assert_eq!(zh.month(date("2027-01-02")), "2027年1月");
        assert_eq!(en.moment(now), "Tue 24 Nov, 01:00");
        assert_eq!(zh.moment(now), "11月24日 周二 01:00");
    }

    #[test]
    fn zones_have_the_names_that_people_use() {
        let now = Timestamp::EPOCH;
        for (name, english, chinese) in [
            ("Asia/Shanghai", "Shanghai time", "北京时间"),
            ("America/New_York", "New York time", "New York 时间"),
            ("UTC", "UTC", "UTC"),
        ] {
            let zone = Zone::parse(name).unwrap();
            assert_eq!(Dates::new(Language::En, &zone, now).zone_name(), english);
            assert_eq!(Dates::new(Language::Zh, &zone, now).zone_name(), chinese);
        }
    }
}
