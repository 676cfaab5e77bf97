//! From bytes to rows, each with its line.

use std::io::{self, BufRead, BufReader, Read};

use csv::{ByteRecord, ReaderBuilder, StringRecord, Terminator};
use serde_json::{Map, Value};

use super::record::{self, BadRow};
use crate::channels::NewChannel;

/// The longest line of JSONL, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Put after a CSV: the last row then ends like all others, and a quote that is never closed
/// holds it.
const END: &[u8] = b"\n\x1f";

/// How an import is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header, then a row a line; separated by comma, semicolon or tab.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// A row of an import.
#[derive(Debug)]
pub struct Line {
    /// From 1; a CSV header is line 1.
    pub number: u64,
    /// The channel, or why there is none.
    pub row: Result<NewChannel, BadRow>,
}

/// A CSV whose columns cannot be told.
#[derive(Debug, thiserror::Error)]
#[error(
    "line 1 must name the columns, with username or chat_id among them; it reads {0:?}. Known columns: category, tgstat_url, username, collected_at, chat_id, title"
)]
pub struct BadHeader(String);

/// The rows of an import, as they come; an error is of the source itself, and the last item.
pub type Lines<'a> = Box<dyn Iterator<Item = io::Result<Line>> + 'a>;

/// Reads rows from `source` as they come; blocks while it waits for more.
///
/// # Errors
/// A CSV without a usable header. All else is told by line.
pub fn read<'a>(format: Format, source: impl Read + 'a) -> Result<Lines<'a>, BadHeader> {
    let mut source = BufReader::with_capacity(64 * 1024, source);
    skip_byte_order_mark(&mut source);
    match format {
        Format::Csv => Ok(Box::new(csv_lines(source)?)),
        Format::Jsonl => Ok(Box::new(json_lines(source))),
    }
}

fn skip_byte_order_mark(source: &mut impl BufRead) {
    // An error shows again at the next read, which reports it.
    if source
        .fill_buf()
        .is_ok_and(|bytes| bytes.starts_with(b"\xef\xbb\xbf"))
    {
        source.consume(3);
    }
}

fn csv_lines(
    mut source: impl BufRead,
) -> Result<impl Iterator<Item = io::Result<Line>>, BadHeader> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&mut source))
        .flexible(true)
        // A \r before it is trimmed with the last field, and lines count right.
        .terminator(Terminator::Any(b'\n'))
        .from_reader(source.chain(END));
    let header: StringRecord = match reader.headers() {
        Ok(header) => header
            .iter()
            .map(|name| name.trim().to_lowercase())
            .collect(),
        Err(error) => return Err(BadHeader(error.to_string())),
    };
    let is_known = |name: &str| name == "username" || name == "chat_id";
    if !header.iter().any(is_known) || header.iter().any(|name| name.ends_with('\x1f')) {
        let shown = header.iter().collect::<Vec<_>>().join(",");
        return Err(BadHeader(shown.chars().take(200).collect()));
    }
    let mut record = ByteRecord::new();
    Ok(std::iter::from_fn(move || {
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(true) if is_blank(&record) => continue,
                // What was put after it.
                Ok(true) if record.as_slice() == &END[1..] => continue,
                Ok(true) => {
                    // Quoted fields may hold lines too.
                    let newlines = record.as_slice().iter().filter(|&&b| b == b'\n').count();
                    let first = reader.position().line() - newlines as u64;
                    let is_open = record.as_slice().ends_with(END);
                    return Some(Ok(if is_open {
                        Line {
                            number: first,
                            row: Err(BadRow::row("opens a quote that is never closed")),
                        }
                    } else {
                        // The reader stands at the line after the row.
                        Line {
                            number: first - 1,
                            row: csv_row(&header, &record).and_then(record::channel),
                        }
                    }));
                }
                Ok(false) => return None,
                Err(error) => return Some(Err(error.into())),
            }
        }
    }))
}

fn is_blank(record: &ByteRecord) -> bool {
    record.len() == 1 && record.as_slice().trim_ascii().is_empty()
}

/// The separator of the first line, as spreadsheets of all countries write it.
fn delimiter(source: &mut impl BufRead) -> u8 {
    let start = source.fill_buf().unwrap_or_default();
    let first = start
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |mark: u8| first.iter().filter(|&&byte| byte == mark).count();
    match (count(b','), count(b';'), count(b'\t')) {
        (comma, semicolon, tab) if semicolon > comma && semicolon >= tab => b';',
        (comma, _, tab) if tab > comma => b'\t',
        _ => b',',
    }
}

fn csv_row(header: &StringRecord, record: &ByteRecord) -> Result<Map<String, Value>, BadRow> {
    if record.len() != header.len() {
        let (has, wants) = (record.len(), header.len());
        return Err(BadRow::row(format!(
            "has {has} fields; the header has {wants}"
        )));
    }
    header
        .iter()
        .zip(record)
        .map(|(name, value)| match std::str::from_utf8(value) {
            Ok(value) => Ok((name.to_owned(), Value::from(value.trim()))),
            Err(_) => Err(BadRow::row(format!(
                "{name} is not UTF-8; save the file as UTF-8"
            ))),
        })
        .collect()
}

fn json_lines(mut source: impl BufRead) -> impl Iterator<Item = io::Result<Line>> {
    let mut number = 0;
    let mut bytes = Vec::new();
    std::iter::from_fn(move || {
        loop {
            number += 1;
            bytes.clear();
            let mut start = source.by_ref().take(LONGEST_LINE);
            let row = match start.read_until(b'\n', &mut bytes) {
                Err(error) => return Some(Err(error)),
                Ok(0) => return None,
                Ok(_) if bytes.trim_ascii().is_empty() => continue,
                Ok(_) if start.limit() == 0 && !bytes.ends_with(b"\n") => {
                    if let Err(error) = source.skip_until(b'\n') {
                        return Some(Err(error));
                    }
                    Err(BadRow::row("is longer than 64 KiB"))
                }
                Ok(_) => json_row(&bytes).and_then(record::channel),
            };
            return Some(Ok(Line { number, row }));
        }
    })
}

fn json_row(bytes: &[u8]) -> Result<Map<String, Value>, BadRow> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser counts lines within this one; only the column tells something.
        let message = error.to_string();
        let what = message.split(" at line").next().unwrap_or_default();
        let column = error.column();
        BadRow::row(format!("is not a JSON object: {what} at column {column}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: Format, text: &[u8]) -> Vec<(u64, Result<String, String>)> {
        read(format, text)
            .unwrap()
            .map(|line| {
                let line = line.unwrap();
                let name = |channel: NewChannel| {
                    channel
                        .username
                        .map(|name| name.to_string())
                        .unwrap_or_default()
                };
                (line.number, line.row.map(name).map_err(|bad| bad.message))
            })
            .collect()
    }

    #[test]
    fn a_csv_row_bears_the_line_it_begins_on() {
        let text = b"username,title\r\nfirst_one,\"two\nlines\"\r\n\r\nbad name,x\r\nlast_one,y";
        let rows = rows(Format::Csv, text);
        assert_eq!(rows[0], (2, Ok("first_one".to_owned())));
        assert_eq!(rows[1].0, 5);
        assert!(rows[1].1.is_err());
        assert_eq!(rows[2], (6, Ok("last_one".to_owned())));
    }

    #[test]
    fn a_stray_quote_swallows_nothing() {
        let rows = rows(
            Format::Csv,
            b"username,title\nfirst_one,5\" disk\nlast_one,\n\n",
        );
        assert_eq!(
            rows,
            [
                (2, Ok("first_one".to_owned())),
                (3, Ok("last_one".to_owned()))
            ]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_by_its_line() {
        let told = Err("opens a quote that is never closed".to_owned());
        let text = b"username,title\nfirst_one,a\n\nlast_one,\"two\nlines,";
        let got = rows(Format::Csv, text);
        assert_eq!(got, [(2, Ok("first_one".to_owned())), (4, told)]);
        assert!(read(Format::Csv, &b"username,\"title\nfirst_one,a\n"[..]).is_err());
    }

    #[test]
    fn semicolons_tabs_and_a_byte_order_mark_are_understood() {
        for text in [
            "\u{feff}Username;Title\nfirst_one;a, b\n",
            "USERNAME\ttitle\nfirst_one\ta, b\n",
        ] {
            assert_eq!(
                rows(Format::Csv, text.as_bytes()),
                [(2, Ok("first_one".to_owned()))]
            );
        }
    }

    #[test]
    fn a_csv_without_a_useful_header_is_refused() {
        for text in ["", "first_one,Title\n", "name;title\n"] {
            let error = read(Format::Csv, text.as_bytes()).err().unwrap();
            assert!(
                error
                    .to_string()
                    .starts_with("line 1 must name the columns")
            );
        }
    }

    #[test]
    fn rows_of_another_length_or_encoding_are_bad_and_the_next_is_read() {
        let rows = rows(
            Format::Csv,
            b"username,title\none\nname_two,\xcf\xf0\nname_three,c\n",
        );
        assert_eq!(rows[0].1, Err("has 1 fields; the header has 2".to_owned()));
        assert!(
            rows[1]
                .1
                .as_ref()
                .unwrap_err()
                .contains("title is not UTF-8")
        );
        assert_eq!(rows[2], (4, Ok("name_three".to_owned())));
    }

    #[test]
    fn jsonl_rows_bear_their_lines_and_bad_ones_tell_why() {
        let text = format!(
            "{{\"username\":\"first_one\"}}\n\n[1]\n{{\"username\"\n{{\"title\":\"{}\"}}\n{{\"username\":\"last_one\"}}",
            "x".repeat(70_000)
        );
        let rows = rows(Format::Jsonl, text.as_bytes());
        let numbers: Vec<u64> = rows.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 6]);
        assert_eq!(rows[0].1, Ok("first_one".to_owned()));
        assert!(
            rows[1]
                .1
                .as_ref()
                .unwrap_err()
                .starts_with("is not a JSON object")
        );
        assert_eq!(rows[3].1, Err("is longer than 64 KiB".to_owned()));
        assert_eq!(rows[4].1, Ok("last_one".to_owned()));
    }

    #[test]
    fn a_source_that_breaks_off_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let source = b"{\"username\":\"first_one\"}\n".chain(Broken);
        let mut lines = read(Format::Jsonl, source).unwrap();
        assert!(lines.next().unwrap().is_ok());
        assert!(lines.next().unwrap().is_err());
    }
}
