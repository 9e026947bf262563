//! Where addresses are, from a database file in MaxMind's format.

use std::{fmt, net::IpAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use maxminddb::{Reader, geoip2};
use nuthatch_normalize::{GeoLookup, Place};

/// A database of cities or countries, in memory.
pub struct GeoDatabase(Reader<Vec<u8>>);

impl fmt::Debug for GeoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GeoDatabase").field(&self.0.metadata().database_type).finish()
    }
}

/// Opens the database of the configuration, if it names one.
///
/// # Errors
///
/// Names the file that cannot be read, or is no such database.
pub fn open(path: Option<&Path>) -> anyhow::Result<Option<Arc<dyn GeoLookup>>> {
    let Some(path) = path else { return Ok(None) };
    let reader = Reader::open_readfile(path).with_context(|| {
        format!("worker.geoip_path: cannot read {} as a database in MaxMind's format (.mmdb)", path.display())
    })?;
    Ok(Some(Arc::new(GeoDatabase(reader))))
}

impl GeoLookup for GeoDatabase {
    fn place(&self, address: IpAddr) -> Option<Place> {
        // What the database does not know or garbles is not known; the event is worth more than the place.
        let found = self.0.lookup(address).ok()?.decode::<geoip2::City<'_>>().ok()??;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Place {
            country_code: owned(found.country.iso_code),
            region: owned(found.country.names.english),
            subdivision: found.subdivisions.first().and_then(|first| owned(first.names.english)),
            city: owned(found.city.names.english),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of the format: a text, a number of some width, a list or a map.
    enum Item<'a> {
        Text(&'a str),
        Number(u16),
        Wide(u32),
        Long(u64),
        List(Vec<Item<'a>>),
        Map(Vec<(&'a str, Item<'a>)>),
    }

    fn write(item: &Item<'_>, out: &mut Vec<u8>) {
        const TEXT: u8 = 2 << 5;
        const SHORT: u8 = 5 << 5;
        const MAP: u8 = 7 << 5;
        /// Types from 8 on are written as 0 and a byte with the rest.
        const LIST: u8 = 11 - 7;
        const LONG: u8 = 9 - 7;
        const WIDE: u8 = 6 << 5;
        match item {
            Item::Text(text) => {
                out.push(TEXT | text.len() as u8);
                out.extend(text.as_bytes());
            }
            Item::Number(number) => {
                out.push(SHORT | 2);
                out.extend(number.to_be_bytes());
            }
            Item::Wide(number) => {
                out.push(WIDE | 4);
                out.extend(number.to_be_bytes());
            }
            Item::Long(number) => {
                out.extend([8, LONG]);
                out.extend(number.to_be_bytes());
            }
            Item::List(items) => {
                out.extend([items.len() as u8, LIST]);
                for item in items {
                    write(item, out);
                }
            }
            Item::Map(entries) => {
                out.push(MAP | entries.len() as u8);
                for (key, item) in entries {
                    write(&Item::Text(key), out);
                    write(item, out);
                }
            }
        }
    }

    /// A database that knows a single address of version 4: a node for each of its bits, then what is known.
    fn database(address: [u8; 4], known: &Item<'_>) -> Vec<u8> {
        const NODES: u32 = 32;
        const SEPARATOR: u32 = 16;
        let mut out = Vec::new();
        for bit in 0..NODES {
            let next = if bit + 1 == NODES { NODES + SEPARATOR } else { bit + 1 };
            let is_set = u32::from_be_bytes(address) >> (NODES - 1 - bit) & 1 == 1;
            for record in if is_set { [NODES, next] } else { [next, NODES] } {
                out.extend(&record.to_be_bytes()[1..]);
            }
        }
        out.extend([0; SEPARATOR as usize]);
        write(known, &mut out);
        out.extend(b"\xab\xcd\xefMaxMind.com");
        let metadata = Item::Map(vec![
            ("node_count", Item::Wide(NODES)),
            ("record_size", Item::Number(24)),
            ("ip_version", Item::Number(4)),
            ("database_type", Item::Text("Test-City")),
            ("languages", Item::List(vec![Item::Text("en")])),
            ("binary_format_major_version", Item::Number(2)),
            ("binary_format_minor_version", Item::Number(0)),
            ("build_epoch", Item::Long(1)),
            ("description", Item::Map(Vec::new())),
        ]);
        write(&metadata, &mut out);
        out
    }

    #[test]
    fn a_database_tells_where_an_address_is() {
        let names = |name| ("names", Item::Map(vec![("en", Item::Text(name))]));
        let vienna = Item::Map(vec![
            ("city", Item::Map(vec![names("Vienna")])),
            ("country", Item::Map(vec![("iso_code", Item::Text("AT")), names("Austria")])),
            ("subdivisions", Item::List(vec![Item::Map(vec![names("Vienna State")])])),
        ]);
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("cities.mmdb");
        std::fs::write(&file, database([203, 0, 113, 9], &vienna)).expect("written");
        let geo = open(Some(&file)).expect("a database").expect("one is configured");
        let place = geo.place([203, 0, 113, 9].into()).expect("known");
        let expected = ["AT", "Austria", "Vienna State", "Vienna"].map(|text| Some(text.to_owned()));
        assert_eq!([place.country_code, place.region, place.subdivision, place.city], expected);
        assert_eq!(geo.place([203, 0, 113, 8].into()), None);
        assert_eq!(geo.place("2001:db8::1".parse().expect("an address")), None);
    }

    #[test]
    fn what_is_no_database_is_named() {
        assert!(open(None).expect("nothing to open").is_none());
        let error = open(Some(Path::new("Cargo.toml"))).expect_err("no database");
        assert!(error.to_string().contains("worker.geoip_path: cannot read Cargo.toml"), "{error}");
    }
}
