fn main() {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut text).unwrap();
    for part in text.split("=====\n") {
        println!("--- {}", part.trim_end().replace('\n', " ⏎ "));
        match config::check(part, "x.toml") { Ok(_) => println!("OK"), Err(f) => println!("{f}") }
    }
}
