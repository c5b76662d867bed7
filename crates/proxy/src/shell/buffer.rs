//! Buffers that exist only while they hold something: an idle connection has none.

use std::cell::RefCell;

/// The usual size: a head, and as much of its body as one TLS record holds.
const SMALL: usize = 20 * 1024;
/// For heads beyond that, and bodies that keep a buffer full.
const LARGE: usize = 128 * 1024;
/// Unused buffers of each size that one worker keeps.
const KEPT_SMALL: usize = 256;
const KEPT_LARGE: usize = 32;
/// Unused vectors that one worker keeps, and the most memory one of them may hold on to.
const KEPT_VECTORS: usize = 512;
const KEPT_CAPACITY: usize = 16 * 1024;

thread_local! {
    static UNUSED: RefCell<Unused> = const { RefCell::new(Unused { small: Vec::new(), large: Vec::new(), vectors: Vec::new() }) };
}

struct Unused {
    small: Vec<Box<[u8]>>,
    large: Vec<Box<[u8]>>,
    vectors: Vec<Vec<u8>>,
}

/// Bytes that were read and not yet used.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Option<Box<[u8]>>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// What was read and not yet used.
    pub(crate) fn filled(&self) -> &[u8] {
        match &self.memory {
            Some(memory) => &memory[self.start..self.end],
            None => &[],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where to read to; empty only when the buffer is full.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.memory.is_none() {
            self.memory = Some(take(SMALL));
        } else if self.start > 0 && self.end == self.capacity() {
            self.move_to_front();
        }
        if self.end == self.capacity() && self.capacity() < LARGE {
            self.grow();
        }
        match &mut self.memory {
            Some(memory) => &mut memory[self.end..],
            None => &mut [],
        }
    }

    /// `count` bytes were read to [`Buffer::room`]. A read that filled it asks for a larger one.
    pub(crate) fn advance(&mut self, count: usize) {
        self.end += count;
        if self.start == 0 && self.end == self.capacity() && self.capacity() < LARGE {
            self.grow();
        }
    }

    /// `count` bytes from the front are used; without any left the memory is given back.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count.min(self.len());
        self.release_if_empty();
    }

    /// Gives back the memory unless something is in it.
    pub(crate) fn release_if_empty(&mut self) {
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
            if let Some(memory) = self.memory.take() {
                give_back(memory);
            }
        }
    }

    /// Puts `bytes` behind what is there; false if they do not fit.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> bool {
        let room = self.room();
        let Some(place) = room.get_mut(..bytes.len()) else {
            return false;
        };
        place.copy_from_slice(bytes);
        self.advance(bytes.len());
        true
    }

    pub(crate) fn clear(&mut self) {
        self.start = self.end;
        self.release_if_empty();
    }

    fn capacity(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.len())
    }

    fn move_to_front(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.copy_within(self.start..self.end, 0);
        }
        self.end -= self.start;
        self.start = 0;
    }

    fn grow(&mut self) {
        let mut larger = take(LARGE);
        let filled = self.filled();
        let len = filled.len();
        larger[..len].copy_from_slice(filled);
        if let Some(memory) = self.memory.replace(larger) {
            give_back(memory);
        }
        self.start = 0;
        self.end = len;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.clear();
    }
}

fn take(size: usize) -> Box<[u8]> {
    let kept = UNUSED.with_borrow_mut(|unused| match size {
        SMALL => unused.small.pop(),
        _ => unused.large.pop(),
    });
    kept.unwrap_or_else(|| vec![0; size].into())
}

fn give_back(memory: Box<[u8]>) {
    // A thread that is ending has no place for it any more.
    let _ = UNUSED.try_with(|unused| {
        let mut unused = unused.borrow_mut();
        let (kept, most) = match memory.len() {
            SMALL => (&mut unused.small, KEPT_SMALL),
            _ => (&mut unused.large, KEPT_LARGE),
        };
        if kept.len() < most {
            kept.push(memory);
        }
    });
}

/// An empty vector, with memory if one is left over.
pub(crate) fn take_vector() -> Vec<u8> {
    UNUSED
        .with_borrow_mut(|unused| unused.vectors.pop())
        .unwrap_or_default()
}

/// Keeps a vector's memory for the next who needs one.
pub(crate) fn give_back_vector(mut vector: Vec<u8>) {
    if vector.capacity() == 0 || vector.capacity() > KEPT_CAPACITY {
        return;
    }
    vector.clear();
    // As with a thread's memory.
    let _ = UNUSED.try_with(|unused| {
        let mut unused = unused.borrow_mut();
        if unused.vectors.len() < KEPT_VECTORS {
            unused.vectors.push(vector);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut Buffer, count: usize) {
        let room = buffer.room();
        assert!(room.len() >= count, "{} of {count}", room.len());
        for (byte, value) in room[..count].iter_mut().zip((0..251).cycle()) {
            *byte = value;
        }
        buffer.advance(count);
    }

    #[test]
    fn memory_is_held_only_while_something_is_in_it() {
        let mut buffer = Buffer::default();
        assert!(buffer.memory.is_none());
        fill(&mut buffer, 10);
        buffer.consume(4);
        assert_eq!(buffer.filled(), [4, 5, 6, 7, 8, 9]);
        buffer.consume(6);
        assert!(buffer.memory.is_none());
        buffer.room();
        buffer.release_if_empty();
        assert!(buffer.memory.is_none());
    }

    #[test]
    fn grows_once_and_keeps_its_content() {
        let mut buffer = Buffer::default();
        fill(&mut buffer, SMALL);
        buffer.consume(1);
        fill(&mut buffer, LARGE - SMALL);
        assert_eq!(buffer.len(), LARGE - 1);
        assert_eq!(buffer.filled()[0], 1);
        assert_eq!(buffer.room().len(), 1, "what was used makes room");
        fill(&mut buffer, 1);
        assert!(buffer.room().is_empty());
    }
}
