//! DNS messages, as far as an update needs them (RFC 1035 section 4, RFC 2136 section 2).

/// Types of records.
pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
pub(super) const TSIG: u16 = 250;

/// Classes.
pub(super) const IN: u16 = 1;
pub(super) const NONE: u16 = 254;
pub(super) const ANY: u16 = 255;

const QUERY: u16 = 0;
const UPDATE: u16 = 5 << 11;
const RESPONSE: u16 = 1 << 15;
const AUTHORITATIVE: u16 = 1 << 10;
const TRUNCATED: u16 = 1 << 9;

/// Seconds that a record of ours may be remembered.
const TTL: u32 = 60;
/// Records that an answer may have.
const RECORDS: usize = 256;
/// A name of 255 bytes has less than that many labels.
const LABELS: usize = 128;

/// The head of a message.
pub(super) const HEAD: usize = 12;
/// Where the head counts the additional records.
pub(super) const ADDITIONAL: usize = 10;

/// What is wrong with a name or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("it is no DNS name")]
    Name,
    #[error("the answer is no DNS message")]
    Message,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) id: u16,
    /// RFC 1035 section 4.1.1, RFC 2136 section 2.2.
    pub(super) code: u8,
    pub(super) authoritative: bool,
    /// More of it comes over a connection only.
    pub(super) truncated: bool,
    /// What answers the question.
    pub(super) answers: Vec<Record>,
    /// What is known beside it.
    pub(super) authority: Vec<Record>,
    /// The signature, which must be the last record.
    pub(super) signature: Option<Record>,
}

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Lower case, without a dot at its end.
    pub(super) name: String,
    pub(super) kind: u16,
    /// Where it begins in the message, and where its content is.
    pub(super) begin: usize,
    pub(super) data: std::ops::Range<usize>,
}

/// A question for the records of that type that `name` has.
///
/// # Errors
/// The name is none.
pub(super) fn question(id: u16, name: &str, kind: u16) -> Result<Vec<u8>, Broken> {
    let mut out = head(id, QUERY, [1, 0, 0, 0]);
    put_name(&mut out, name)?;
    put(&mut out, &[kind, IN]);
    Ok(out)
}

/// What is done with a TXT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is there from now on, beside others of its name (RFC 2136 section 2.5.1).
    Add,
    /// It alone is gone from now on (RFC 2136 section 2.5.4).
    Remove,
}

/// An update of `zone`: the TXT record `text` (at most 255 bytes) at `name`.
///
/// # Errors
/// A name is none.
pub(super) fn update(
    id: u16,
    zone: &str,
    name: &str,
    text: &str,
    change: Change,
) -> Result<Vec<u8>, Broken> {
    let mut out = head(id, UPDATE, [1, 0, 1, 0]);
    put_name(&mut out, zone)?;
    put(&mut out, &[SOA, IN]);
    put_name(&mut out, name)?;
    let (class, ttl) = match change {
        Change::Add => (IN, TTL),
        Change::Remove => (NONE, 0),
    };
    put(&mut out, &[TXT, class]);
    out.extend_from_slice(&ttl.to_be_bytes());
    let length = u8::try_from(text.len()).map_err(|_| Broken::Message)?;
    put(&mut out, &[u16::from(length) + 1]);
    out.push(length);
    out.extend_from_slice(text.as_bytes());
    Ok(out)
}

/// Reads an answer.
///
/// # Errors
/// The name server's: it is none.
pub(super) fn reply(message: &[u8]) -> Result<Reply, Broken> {
    let word = |at| word(message, at);
    let flags = word(2)?;
    if flags & RESPONSE == 0 {
        return Err(Broken::Message);
    }
    let mut at = HEAD;
    for _ in 0..word(4)? {
        at = name(message, at)?.1 + 4;
    }
    let mut all = Vec::new();
    let counts = [word(6)?, word(8)?, word(ADDITIONAL)?].map(usize::from);
    for _ in 0..counts.iter().sum() {
        let record;
        (record, at) = read_record(message, at)?;
        all.push(record);
        if all.len() > RECORDS {
            return Err(Broken::Message);
        }
    }
    if at != message.len() {
        return Err(Broken::Message);
    }
    let signature = match all.last() {
        Some(last) if last.kind == TSIG && counts[2] > 0 => all.pop(),
        _ => None,
    };
    let mut rest = all.split_off(counts[0]);
    rest.truncate(counts[1]);
    Ok(Reply {
        id: word(0)?,
        code: (flags & 0xf) as u8,
        authoritative: flags & AUTHORITATIVE != 0,
        truncated: flags & TRUNCATED != 0,
        answers: all,
        authority: rest,
        signature,
    })
}

/// Whether a message has the number of the question `asked`, and repeats it (RFC 5452 section 9.1).
pub(super) fn repeats(message: &[u8], asked: &[u8]) -> bool {
    let same = |part: std::ops::Range<usize>| match (message.get(part.clone()), asked.get(part)) {
        // No length of a label, type or class of a question of ours is a letter.
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    };
    message.get(..2) == asked.get(..2) && same(4..6) && same(HEAD..asked.len())
}

/// The name in a message that begins at `at`, and where it ends there.
///
/// # Errors
/// There is none, or none that can be written as text.
pub(super) fn name(message: &[u8], mut at: usize) -> Result<(String, usize), Broken> {
    let mut text = String::new();
    let mut end = None;
    for _ in 0..LABELS {
        let length = *message.get(at).ok_or(Broken::Message)?;
        match length {
            0 => return Ok((text, end.unwrap_or(at + 1))),
            1..=63 => {
                let next = at + 1 + usize::from(length);
                let label = message.get(at + 1..next).ok_or(Broken::Message)?;
                if !label.iter().all(|b| b.is_ascii_graphic() && *b != b'.') {
                    return Err(Broken::Message);
                }
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(label.iter().map(|b| char::from(b.to_ascii_lowercase())));
                at = next;
            }
            // RFC 1035 section 4.1.4. Only backwards, so that it comes to an end.
            192..=255 => {
                let to = usize::from(word(message, at)? & 0x3fff);
                if to >= at {
                    return Err(Broken::Message);
                }
                end.get_or_insert(at + 2);
                at = to;
            }
            _ => return Err(Broken::Message),
        }
    }
    Err(Broken::Message)
}

/// Appends a name, in lower case and uncompressed (RFC 8945 section 4.3.3 wants it so).
///
/// # Errors
/// It is none.
pub(super) fn put_name(out: &mut Vec<u8>, name: &str) -> Result<(), Broken> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > 253 {
        return Err(Broken::Name);
    }
    for label in name.split('.').filter(|_| !name.is_empty()) {
        let length = u8::try_from(label.len()).map_err(|_| Broken::Name)?;
        if !(1..=63).contains(&length) || !label.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Broken::Name);
        }
        out.push(length);
        out.extend(label.bytes().map(|b| b.to_ascii_lowercase()));
    }
    out.push(0);
    Ok(())
}

/// Appends numbers of 16 bits.
pub(super) fn put(out: &mut Vec<u8>, words: &[u16]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

/// The number of 16 bits at `at`.
///
/// # Errors
/// The message ends before.
pub(super) fn word(message: &[u8], at: usize) -> Result<u16, Broken> {
    match message.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Broken::Message),
    }
}

/// The text of a TXT record, its parts joined.
pub(super) fn text(mut data: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let [length, rest @ ..] = data {
        let (part, next) = rest.split_at(rest.len().min(usize::from(*length)));
        text.extend_from_slice(part);
        data = next;
    }
    text
}

fn head(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    put(&mut out, &[id, flags]);
    put(&mut out, &counts);
    out
}

fn read_record(message: &[u8], begin: usize) -> Result<(Record, usize), Broken> {
    let (name, at) = name(message, begin)?;
    let kind = word(message, at)?;
    let length = usize::from(word(message, at + 8)?);
    let data = at + 10..at + 10 + length;
    if data.end > message.len() {
        return Err(Broken::Message);
    }
    let end = data.end;
    Ok((
        Record {
            name,
            kind,
            begin,
            data,
        },
        end,
    ))
}

#[cfg(test)]
mod tests;
