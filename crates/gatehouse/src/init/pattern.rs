//! Patterns of hardware names, as kernel modules have them: `*`, `?` and `[a-z]`.

/// Whether `text` is what `pattern` describes.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: it takes one byte more.
    let mut again = None;
    while read < text.len() {
        match one(&pattern[at..], text[read]) {
            Some(0) => {
                again = Some((at + 1, read));
                at += 1;
            }
            Some(length) => {
                at += length;
                read += 1;
            }
            None => {
                let Some((star, from)) = again else {
                    return false;
                };
                again = Some((star, from + 1));
                (at, read) = (star, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// How many bytes of the pattern stand for this one byte; 0 for `*`, which may stand for none.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern.first()? {
        b'*' => Some(0),
        b'?' => Some(1),
        b'[' => {
            let end = pattern.iter().position(|byte| *byte == b']')?;
            in_class(&pattern[1..end], byte).then_some(end + 1)
        }
        plain => (plain == byte).then_some(1),
    }
}

fn in_class(class: &[u8], byte: u8) -> bool {
    match class {
        [from, b'-', to, rest @ ..] => (*from..=*to).contains(&byte) || in_class(rest, byte),
        [plain, rest @ ..] => *plain == byte || in_class(rest, byte),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_is_recognised() {
        for (pattern, text, expected) in [
            ("virtio:d00000001v*", "virtio:d00000001v00001AF4", true),
            ("virtio:d00000001v*", "virtio:d00000002v00001AF4", false),
            (
                "pci:v*d*sv*sd*bc01sc06i01*",
                "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01",
                true,
            ),
            (
                "pci:v*d*sv*sd*bc01sc06i01*",
                "pci:v00008086d00002922sv00001AF4sd00001100bc01sc08i02",
                false,
            ),
            ("scsi:t-0x00*", "scsi:t-0x00", true),
            ("usb:v0[3-5]d?*", "usb:v04dA", true),
            ("usb:v0[3-5]d?*", "usb:v06dA", false),
            ("usb:v0[3-57]", "usb:v07", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a[b", "ab", false),
            ("", "a", false),
        ] {
            let found = matches(pattern.as_bytes(), text.as_bytes());
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }
}
