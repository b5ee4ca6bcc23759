//! The ledger's bulk load on PostgreSQL: `COPY … FROM STDIN`, in the text format.

use sqlx::PgConnection;
use tokio::sync::mpsc;

use super::load::Load;
use crate::store::text::push_number;
use crate::store::trouble::Trouble;
use crate::store::value::Value;

/// Text of one message: few system calls, little memory.
const MESSAGE_BYTES: usize = 256 * 1024;
/// Messages that are encoded ahead.
const AHEAD: usize = 4;

/// Adds the rows.
pub(super) async fn copy(connection: &mut PgConnection, load: &Load) -> Result<(), Trouble> {
    let statement = match load.rows.table().name {
        "ledger_entry" => "COPY ledger_entry FROM STDIN",
        _ => "COPY logged_order FROM STDIN",
    };
    let mut copy = connection.copy_in_raw(statement).await?;
    let (sender, mut messages) = mpsc::channel(AHEAD);
    let load = load.clone();
    let encoding = tokio::task::spawn_blocking(move || encode(&load, &sender));
    while let Some(message) = messages.recv().await {
        copy.send(message).await?;
    }
    match encoding.await {
        Ok(Ok(())) => copy.finish().await.map(drop).map_err(Trouble::from),
        Ok(Err(trouble)) => {
            copy.abort("not all rows could be written").await?;
            Err(trouble)
        }
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Trouble::Driver(format!("a thread ended early: {error}"))),
    }
}

/// Sends the rows as text. If nobody listens any more, it ends: the transaction has failed.
fn encode(load: &Load, messages: &mpsc::Sender<Vec<u8>>) -> Result<(), Trouble> {
    let mut text = Vec::with_capacity(MESSAGE_BYTES + 4096);
    load.each(|_, row| {
        push_row(&mut text, row)?;
        if text.len() >= MESSAGE_BYTES {
            let full = std::mem::replace(&mut text, Vec::with_capacity(MESSAGE_BYTES + 4096));
            messages
                .blocking_send(full)
                .map_err(|_| Trouble::Driver("the load was broken off".to_owned()))?;
        }
        Ok::<(), Trouble>(())
    })?;
    messages.blocking_send(text).map_err(|_| Trouble::Driver("the load was broken off".to_owned()))
}

fn push_row(out: &mut Vec<u8>, row: &[Value<'_>]) -> Result<(), Trouble> {
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            out.push(b'\t');
        }
        match value {
            Value::Null => out.extend_from_slice(b"\\N"),
            Value::Integer(number) => push_number(out, *number),
            Value::Text(text) => push_text(out, text)?,
        }
    }
    out.push(b'\n');
    Ok(())
}

/// A text with what has a meaning in the format escaped.
fn push_text(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Trouble> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\' | 0)) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\\' => b"\\\\",
            _ => {
                let text = String::from_utf8_lossy(text).escape_default().to_string();
                return Err(Trouble::Foreign(format!(
                    "the text `{text}` has the character NUL, which PostgreSQL cannot hold"
                )));
            }
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line_whatever_its_texts_hold() {
        let row = [
            Value::Integer(-7),
            Value::Null,
            Value::Text(b"a\tb\nc\\d\re"),
            Value::Text("文\u{1}".as_bytes()),
        ];
        let mut line = Vec::new();
        push_row(&mut line, &row).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), "-7\t\\N\ta\\tb\\nc\\\\d\\re\t文\u{1}\n");
        let trouble = push_row(&mut Vec::new(), &[Value::Text(b"a\0b")]).unwrap_err();
        assert!(trouble.text().contains("a\\u{0}b"), "{}", trouble.text());
    }
}
