//! Cursor pagination, the same for every list: newest first, by time-ordered id.

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{Error, Result};

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    limit: u16,
    after: Option<Uuid>,
}

impl Page {
    /// How many items a page has when the caller does not say.
    pub const DEFAULT_LIMIT: u16 = 50;
    /// The most items a page may have.
    pub const MAX_LIMIT: u16 = 200;

    /// Reads a page from the API's `limit` and `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a limit outside 1 to 200, or a cursor this API did not give.
    pub fn parse(limit: Option<u16>, cursor: Option<&str>) -> Result<Self> {
        let limit = limit.unwrap_or(Self::DEFAULT_LIMIT);
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            return Err(Error::invalid("limit", "must be between 1 and 200"));
        }
        let after = cursor
            .map(|cursor| {
                Uuid::try_parse(cursor).map_err(|_| {
                    Error::invalid("cursor", "must be a nextCursor that this API gave")
                })
            })
            .transpose()?;
        Ok(Self { limit, after })
    }

    /// What the statement asks for: one row more than is shown, to know whether there are more.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The last id of the page before; rows after it have smaller ids.
    pub fn after(&self) -> Option<Uuid> {
        self.after
    }

    /// Makes the answer from rows fetched with [`Page::fetch`] as their limit.
    pub fn list<T>(&self, mut items: Vec<T>, id: impl Fn(&T) -> Uuid) -> List<T> {
        let limit = usize::from(self.limit);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = has_more
            .then(|| items.last().map(|item| id(item).to_string()))
            .flatten();
        List {
            items,
            pagination: Pagination {
                next_cursor,
                has_more,
            },
        }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: Self::DEFAULT_LIMIT,
            after: None,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct List<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// How to get the next page.
    pub pagination: Pagination,
}

/// How to get the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// To be given as `cursor`; absent on the last page.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_too_many_means_there_are_more() {
        let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        let page = Page::parse(Some(2), None).unwrap();
        assert_eq!(page.fetch(), 3);

        let list = page.list(ids.clone(), |id| *id);
        assert_eq!(list.items, ids[..2]);
        assert_eq!(list.pagination.next_cursor, Some(ids[1].to_string()));
        assert!(list.pagination.has_more);

        let last = page.list(ids[..2].to_vec(), |id| *id);
        assert_eq!(last.pagination.next_cursor, None);
        assert!(!last.pagination.has_more);
    }

    #[test]
    fn a_foreign_cursor_and_a_limit_out_of_range_are_refused() {
        assert!(Page::parse(None, Some("page-2")).is_err());
        assert!(Page::parse(Some(0), None).is_err());
        assert!(Page::parse(Some(201), None).is_err());
    }
}
