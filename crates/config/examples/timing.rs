use std::time::Instant;
fn t(name: &str, text: &str) { let s = Instant::now(); let r = config::check(text, "x"); println!("{name}: {:?} ok={}", s.elapsed(), r.is_ok()); }
fn main() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    t("arr", &format!("schema = {}", deep("[", "]")));
    t("inl", &format!("schema = {}", deep("{a=", "}")));
    t("dot", &format!("{}a = 1", "a.".repeat(200_000)));
    t("hdr", &format!("[{}a]", "a.".repeat(200_000)));
    t("hosts", &"[[host]]\n".repeat(50_000));
    let forward = "[[forward]]\nname=\"x\"\nprotocol=\"udp\"\nports=\"1-65535\"\nto=\"10.0.0.3\"\n";
    let zones = "schema=1\n[network.w]\ntrust=\"outside\"\ninterface=\"w\"\naddresses=[\"dhcp\"]\n";
    t("fwd", &format!("{zones}{}", forward.repeat(10_000)));
    t("never", &format!("schema = 1\n[guard]\nnever = [{}]", "\"x\",".repeat(100_000)));
    for n in ["innovaphone", "sip-trunk"] { let x = std::fs::read_to_string(format!("/work/main/configs/{n}.toml")).unwrap(); for _ in 0..3 { t(n, &x); } t("unk", &x.replace("port = 8443", "prot = 8443")); }
}
