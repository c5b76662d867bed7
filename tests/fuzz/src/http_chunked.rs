use proto::http::{
    CHUNK_HEADER_MAX, ChunkDecoder, LAST_CHUNK, Limits, Malformed, write_chunk_header,
};

/// A chunked body gives the same data however it is cut, and that data written anew gives it again.
pub fn http_chunked(data: &[u8]) {
    let Some((&step, body)) = data.split_first() else {
        return;
    };
    let whole = read(body, usize::MAX);
    let cut = read(body, usize::from(step) % 17 + 1);
    match (whole, cut) {
        (Ok(whole), Ok(cut)) => {
            assert_eq!(whole, cut);
            let mut rewritten = Vec::new();
            for piece in whole.0.chunks(7) {
                let mut line = [0; CHUNK_HEADER_MAX];
                rewritten.extend_from_slice(write_chunk_header(piece.len() as u64, &mut line));
                rewritten.extend_from_slice(piece);
                rewritten.extend_from_slice(b"\r\n");
            }
            rewritten.extend_from_slice(LAST_CHUNK);
            let again = read(&rewritten, usize::MAX).expect("our own form");
            assert_eq!(again, (whole.0, Some(rewritten.len())));
        }
        (whole, cut) => assert_eq!(whole.err(), cut.err()),
    }
}

/// The data, and where the body ends if it does.
fn read(body: &[u8], step: usize) -> Result<(Vec<u8>, Option<usize>), Malformed> {
    let mut decoder = ChunkDecoder::new(&Limits::default());
    let mut data = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let piece = &body[at..body.len().min(at.saturating_add(step))];
        let found = decoder.decode(piece)?;
        assert!(found.data.end <= found.consumed && found.consumed <= piece.len());
        assert!(found.consumed > 0 || found.finished);
        data.extend_from_slice(&piece[found.data]);
        at += found.consumed;
        if found.finished {
            decoder
                .trailers()
                .for_each(|(name, _)| assert!(!name.is_empty()));
            return Ok((data, Some(at)));
        }
    }
    Ok((data, None))
}
