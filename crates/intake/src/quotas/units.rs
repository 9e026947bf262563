//! What an item counts as against quotas.

use std::fmt;

use nuthatch_protocol::{DataCategory, Item};
use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Categories and quantities of an item. A container counts as what it holds, whatever its header says: keys are public,
/// and nobody gets around a limit by counting wrong.
pub(crate) fn units(item: &Item) -> Vec<(DataCategory, u64)> {
    let mut units = DataCategory::of_item(item);
    for (category, quantity) in &mut units {
        if matches!(category, DataCategory::Span | DataCategory::LogItem | DataCategory::TraceMetric) {
            *quantity = held(&item.payload).unwrap_or(1);
        }
    }
    units
}

/// How many entries a container holds; `None` when it is none.
fn held(payload: &[u8]) -> Option<u64> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    json.deserialize_map(Container).ok().flatten()
}

/// `{"items": […]}`, of which nothing is kept but the number.
struct Container;

impl<'de> Visitor<'de> for Container {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a container of items")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<u64>, A::Error> {
        let mut held = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == "items" {
                held = Some(map.next_value::<Entries>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(held)
    }
}

struct Entries(u64);

impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;

        impl<'de> Visitor<'de> for Count {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut count = 0;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Entries(count))
            }
        }

        deserializer.deserialize_seq(Count)
    }
}
