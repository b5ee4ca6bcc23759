//! The old program's `nightjob.exe.config` and the gateway's `web.config`: .NET XML, read and translated.
//!
//! | file | what it does |
//! |---|---|
//! | `decode` | bytes to text: UTF-8, UTF-16, the Chinese encodings |
//! | `xml` | the grammar, and where each value stands |
//! | `translate` | keys to ours; accounts to rows like those of the gateway's tables |
//! | `layer` | an old file as the file of a configuration |
//!
//! The files are never edited. What was commented out does not exist. Source: `spec/ttpay.md`, A.1.

mod decode;
mod layer;
mod translate;
mod xml;

pub(super) use decode::{decode, is_xml};
pub(super) use layer::{Old, read};
