//! Bytes into commands, replies into bytes.

use std::io;

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder, LinesCodec, LinesCodecError};

use crate::notes::Note;

const LINE_BYTES_MAX: usize = 8192;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store a note.
    Add(String),
    /// Say one note.
    Get(i64),
    /// Say all.
    List,
    /// End the connection.
    Quit,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The number of the note that was stored.
    Added(i64),
    /// A note. A line end in its text is sent as a space.
    Note(Note),
    /// The end of a list, or of the connection.
    End,
    /// Why not.
    Refused(String),
}

/// Why a line is no command. The connection goes on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such word, or what it needs is missing.
    #[error("`{0}` is no command; there are ADD text, GET number, LIST, QUIT")]
    Unknown(String),
    /// The line never ends.
    #[error("a line has at most {LINE_BYTES_MAX} bytes")]
    TooLong,
}

/// The server's side of the protocol.
#[derive(Debug)]
pub struct ServerCodec {
    lines: LinesCodec,
}

impl Default for ServerCodec {
    fn default() -> Self {
        Self { lines: LinesCodec::new_with_max_length(LINE_BYTES_MAX) }
    }
}

impl Decoder for ServerCodec {
    // A line that is no command is an item: `Framed` takes an error for the end of the stream.
    type Item = Result<Command, CommandError>;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        match self.lines.decode(bytes) {
            Ok(line) => Ok(line.as_deref().map(command)),
            Err(LinesCodecError::MaxLineLengthExceeded) => Ok(Some(Err(CommandError::TooLong))),
            Err(LinesCodecError::Io(error)) => Err(error),
        }
    }
}

impl Encoder<Reply> for ServerCodec {
    type Error = io::Error;

    fn encode(&mut self, reply: Reply, bytes: &mut BytesMut) -> io::Result<()> {
        let line = match reply {
            Reply::Added(id) => format!("+ {id}\n"),
            Reply::Note(note) => {
                format!("= {} {}\n", note.id, note.text.replace(['\r', '\n'], " "))
            }
            Reply::End => ".\n".to_string(),
            Reply::Refused(why) => format!("- {}\n", why.replace(['\r', '\n'], " ")),
        };
        bytes.reserve(line.len());
        bytes.put_slice(line.as_bytes());
        Ok(())
    }
}

fn command(line: &str) -> Result<Command, CommandError> {
    let line = line.trim_end();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let unknown = || CommandError::Unknown(line.chars().take(40).collect());
    match (word, rest) {
        ("ADD", text) if !text.is_empty() => Ok(Command::Add(text.to_string())),
        ("GET", id) => id.parse().map(Command::Get).map_err(|_| unknown()),
        ("LIST", "") => Ok(Command::List),
        ("QUIT", "") => Ok(Command::Quit),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_all(pieces: &[&str]) -> Vec<Result<Command, CommandError>> {
        let mut codec = ServerCodec::default();
        let mut bytes = BytesMut::new();
        let mut commands = Vec::new();
        for piece in pieces {
            bytes.put_slice(piece.as_bytes());
            while let Some(command) = codec.decode(&mut bytes).unwrap() {
                commands.push(command);
            }
        }
        commands
    }

    #[test]
    fn lines_in_pieces() {
        let commands = decode_all(&["AD", "D one two\r\nGET 1\nLI", "ST\nQUIT\n"]);
        let expected =
            [Command::Add("one two".into()), Command::Get(1), Command::List, Command::Quit];
        assert_eq!(commands, expected.map(Ok));
    }

    #[test]
    fn what_is_no_command() {
        for line in ["add x\n", "ADD\n", "GET one\n", "LIST all\n", "\n"] {
            let refused = Err(CommandError::Unknown(line.trim_end().into()));
            assert_eq!(decode_all(&[line]), [refused]);
        }
    }

    #[test]
    fn a_line_without_end() {
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        let commands = decode_all(&[&long, "\nLIST\n"]);
        assert_eq!(commands[0], Err(CommandError::TooLong));
        assert_eq!(commands.last(), Some(&Ok(Command::List)));
    }

    #[test]
    fn a_reply_is_one_line() {
        let mut bytes = BytesMut::new();
        let note = Note { id: 7, text: "two\nlines".into() };
        ServerCodec::default().encode(Reply::Note(note), &mut bytes).unwrap();
        assert_eq!(&bytes[..], b"= 7 two lines\n");
    }
}
