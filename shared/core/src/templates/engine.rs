//! One text with placeholders: compiled, checked, filled in.
//!
//! Placeholders are `{{username}}`, `{{title}}`, `{{category}}` and
//! `{{params.name}}`, in minijinja's syntax: `{{ title or "friends" }}`,
//! `{{ params.price | default("free") }}` and `{% if category %}…{% endif %}` work too.

use minijinja::{
    Environment, Error as JinjaError, ErrorKind, Template, UndefinedBehavior, Value, context,
    filters,
    value::{Serde, ValueKind},
};
use serde_json::Map;
use telecast_telegram::ParseMode;

use super::{Recipient, place::Place};

/// Far above what a message of 4096 characters can use.
const FUEL: u64 = 50_000;

/// Something wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// None when it lies in the whole.
    pub(super) place: Option<Place>,
    /// What is wrong.
    pub(super) message: String,
}

impl Fault {
    pub(super) fn of_whole(message: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What placeholders stand for.
pub(super) fn values(recipient: &Recipient, params: &Map<String, serde_json::Value>) -> Value {
    context! {
        username => recipient.username.as_deref().unwrap_or_default(),
        title => recipient.title.as_deref().unwrap_or_default(),
        category => recipient.category.as_deref().unwrap_or_default(),
        params => Value::from(Serde(params)),
    }
}

/// Fills in the placeholders of `source`.
pub(super) fn fill(source: &str, mode: ParseMode, values: &Value) -> Result<String, Fault> {
    let environment = environment(mode);
    let template = compile(&environment, source)?;
    template
        .render(values.clone())
        .map_err(|error| fault(source, &error))
}

/// A text filled in with sample values, and the way back from it to its source.
pub(super) struct Sample {
    /// The text.
    pub(super) text: String,
    spans: Vec<minijinja::OutputSpan>,
}

impl Sample {
    /// The place in `source` that made the byte at `offset` of the text.
    pub(super) fn place(&self, source: &str, offset: usize) -> Place {
        let at = self
            .spans
            .iter()
            .take_while(|span| span.output_range().start <= offset)
            .last()
            .map_or(0, |span| {
                let (output, origin) = (span.output_range(), span.source_range());
                // Text maps byte by byte; all of a placeholder's value maps to its beginning.
                if output.len() == origin.len() {
                    origin.start + (offset - output.start).min(origin.len())
                } else {
                    origin.start
                }
            });
        Place::of(source, at)
    }
}

/// Checks names and syntax of `source`, and fills in samples: all values given, and all
/// of the recipient's absent, so that both sides of an `if` are seen.
pub(super) fn check(source: &str, mode: ParseMode) -> Result<Vec<Sample>, Fault> {
    let environment = environment(mode);
    let template = compile(&environment, source)?;
    let mut params = Map::new();
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort_by_key(|name| Place::of_name(source, name));
    for name in names {
        match name.split_once('.') {
            None if matches!(name.as_str(), "username" | "title" | "category") => {}
            Some(("params", param)) if !param.contains('.') => {
                params.insert(param.to_owned(), "x".into());
            }
            _ => {
                return Err(Fault {
                    place: Place::of_name(source, &name),
                    message: format!(
                        "unknown placeholder {{{{{name}}}}}; there are {{{{username}}}}, {{{{title}}}}, {{{{category}}}} and {{{{params.<name>}}}}"
                    ),
                });
            }
        }
    }
    let mut samples = Vec::new();
    for word in ["x", ""] {
        let values = context! {
            username => word, title => word, category => word, params => Value::from(Serde(&params)),
        };
        match template.render_with_spans(values) {
            Ok((text, spans)) => samples.push(Sample { text, spans }),
            // Depends on the values; a campaign checks its own.
            Err(error) if error.kind() == ErrorKind::InvalidOperation => {}
            Err(error) => return Err(fault(source, &error)),
        }
    }
    Ok(samples)
}

fn environment<'source>(mode: ParseMode) -> Environment<'source> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(true);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("default", filters::default);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.set_formatter(move |out, _, value| {
        let text = match value.kind() {
            ValueKind::String | ValueKind::Number | ValueKind::Bool => value.to_string(),
            ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
            kind => {
                return Err(JinjaError::new(
                    ErrorKind::InvalidOperation,
                    format!("a placeholder needs a text or a number, not {kind}"),
                ));
            }
        };
        out.write_str(&telecast_telegram::text::escape(&text, mode))?;
        Ok(())
    });
    environment
}

fn compile<'env, 'source>(
    environment: &'env Environment<'source>,
    source: &'source str,
) -> Result<Template<'env, 'source>, Fault> {
    environment
        .template_from_str(source)
        .map_err(|error| fault(source, &error))
}

fn fault(source: &str, error: &JinjaError) -> Fault {
    let range = error.range();
    let snippet = range.clone().and_then(|range| source.get(range));
    let message = match (error.kind(), snippet) {
        (ErrorKind::UndefinedError, Some(name)) => format!("no value is given for {name}"),
        (ErrorKind::OutOfFuel, _) => "the template takes too long to fill in".to_owned(),
        (kind, _) => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    Fault {
        place: range.map(|range| Place::of(source, range.start)),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Chat;

    fn recipient() -> Recipient {
        Recipient {
            chat: Chat::Id(1),
            username: Some("news".to_owned()),
            title: Some("Новости & <more>".to_owned()),
            category: None,
        }
    }

    fn filled(source: &str, params: serde_json::Value) -> Result<String, String> {
        let params = params.as_object().cloned().unwrap_or_default();
        fill(source, ParseMode::Html, &values(&recipient(), &params))
            .map_err(|fault| fault.to_string())
    }

    fn refused(source: &str) -> String {
        match check(source, ParseMode::None) {
            Ok(_) => panic!("{source} was accepted"),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn placeholders_are_filled_in_and_escaped() {
        let text = "<b>{{title}}</b> @{{ username }}{{category}}: {{params.price}}";
        assert_eq!(
            filled(text, serde_json::json!({"price": 5})).unwrap(),
            "<b>Новости &amp; &lt;more&gt;</b> @news: 5"
        );
    }

    #[test]
    fn an_absent_value_can_have_a_substitute() {
        let text = "{{ category or 'friends' }}, {{ params.x | default('free') }}{% if category %}!{% endif %}";
        assert_eq!(
            filled(text, serde_json::json!({})).unwrap(),
            "friends, free"
        );
    }

    #[test]
    fn a_missing_param_is_an_error_that_names_it() {
        assert_eq!(
            filled("Hi {{params.name}}", serde_json::json!({})).unwrap_err(),
            "line 1, column 6: no value is given for params.name"
        );
        assert!(filled("{{params.a}}", serde_json::json!({"a": null})).is_err());
        assert!(filled("{{params.a}}", serde_json::json!({"a": [1]})).is_err());
    }

    #[test]
    fn an_unknown_placeholder_is_refused_with_its_place() {
        assert!(
            refused("username\n  {{username}} {{ usrname }}")
                .starts_with("line 2, column 19: unknown placeholder {{usrname}};")
        );
        for source in [
            "{{params}}",
            "{{title.x}}",
            "{{params.a.b}}",
            "{{ range(5) }}",
            "{{ x | default('') }}",
        ] {
            assert!(refused(source).contains("unknown placeholder"), "{source}");
        }
    }

    #[test]
    fn bad_syntax_is_refused_with_its_place() {
        assert!(refused("a\nb {{ title").starts_with("line 2"));
        assert!(refused("{% if title %}").contains("syntax error"));
        assert!(refused("{{ title | shout }}").contains("shout"));
    }

    #[test]
    fn nothing_runs_for_ever() {
        let source =
            "{% for a in [1]*9999 %}{% for b in [1]*9999 %}{{ title }}{% endfor %}{% endfor %}";
        assert!(refused(source).contains("too long"));
    }

    #[test]
    fn a_place_in_the_filled_text_leads_back_to_the_source() {
        let source = "{{title}}\n{% if category %}<b>{% endif %}ok <i>";
        let samples = check(source, ParseMode::None).unwrap();
        assert_eq!(samples[0].text, "x\n<b>ok <i>");
        let place = |offset| samples[0].place(source, offset).to_string();
        assert_eq!(place(2), "line 2, column 18");
        assert_eq!(place(8), "line 2, column 35");
        assert_eq!(samples[1].text, "\nok <i>");
    }
}
