//! `cargo xtask image`: the bootable image of a board. No root, no loop device: every byte of it is written by us,
//! or comes out of a Debian package that is pinned by its checksum.

mod apt;
mod binary;
mod board;
mod cpio;
mod disk;
mod modules;
mod packages;
mod uki;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::run::{quietly, repository, say, target_dir};
use board::Board;
use cpio::Archive;
use disk::EspFile;
use modules::Chosen;
use uki::Section;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How hard zstd tries, for what the kernel unpacks and for the image as a whole.
const INITRAMFS_LEVEL: i32 = 19;
const IMAGE_LEVEL: i32 = 10;
/// The same for an image that stays here.
const PLAIN_LEVEL: i32 = 3;

/// What is built.
#[derive(Args)]
pub(crate) struct Options {
    /// The board: a folder below board/
    #[arg(long, default_value = "x86_64-uefi")]
    board: String,
    /// Where the image is put [default: target/image]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The configuration of a new box
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The cargo profile of our own binary; that of `dev` is the one that `cargo build` has left
    #[arg(long, default_value = "release", value_parser = ["release", "dev"])]
    profile: String,
    /// Do not compress the image as a whole, and what is in it less
    #[arg(long)]
    plain: bool,
    /// Instead of building: pin the versions of the Debian packages that the mirror has today
    #[arg(long)]
    repin: bool,
}

impl Options {
    /// The image of a release.
    pub(crate) fn release() -> Self {
        Self {
            board: "x86_64-uefi".to_owned(),
            out: None,
            config: None,
            profile: "release".to_owned(),
            plain: false,
            repin: false,
        }
    }
}

/// What was built.
pub(crate) struct Built {
    /// The image.
    pub(crate) image: PathBuf,
    /// The same, compressed.
    pub(crate) packed: Option<PathBuf>,
}

/// `cargo xtask image`.
///
/// # Errors
/// As [`built`].
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.repin {
        return packages::repin(&target_dir().join("image"));
    }
    built(options).map(drop)
}

/// Builds the image, and says where it is and how large.
///
/// # Errors
/// Something that belongs to it can not be had, with what to do about it.
pub(crate) fn built(options: &Options) -> Result<Built> {
    let work = target_dir().join("image");
    let board = Board::read(&options.board)?;
    let out = options.out.clone().unwrap_or_else(|| work.clone());
    fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let factory = repository().join("configs/factory.toml");
    let config = options.config.as_deref().unwrap_or(&factory);
    let config = fs::read(config).with_context(|| config.display().to_string())?;
    let program = match options.profile.as_str() {
        "dev" => binary::at_hand(&board, &out)?,
        _ => binary::build(&board, &work)?,
    };
    let parts = Parts::gather(options, &board, &work, &program, config)?;
    let image = out.join(format!("gatehouse-{}-{VERSION}.img", options.board));
    parts.write(&board, &image)?;
    say(&format!("{}: {}", board.title, image.display()));
    let mut sizes = vec![
        ("our binary, static", fs::metadata(&program)?.len()),
        ("EFI file: kernel, modules, binary", parts.efi.len() as u64),
        ("image", fs::metadata(&image)?.len()),
    ];
    let mut packed = None;
    if !options.plain {
        let file = image.with_extension("img.zst");
        let mut reader = File::open(&image)?;
        let mut encoder = zstd::Encoder::new(File::create(&file)?, IMAGE_LEVEL)?;
        std::io::copy(&mut reader, &mut encoder)?;
        encoder.finish()?;
        sizes.push(("image, compressed", fs::metadata(&file)?.len()));
        packed = Some(file);
    }
    for (what, size) in sizes {
        let megabytes = size / 100_000;
        say(&format!(
            "{what:<36} {:>4}.{} MB",
            megabytes / 10,
            megabytes % 10
        ));
    }
    Ok(Built { image, packed })
}

/// Builds the image that tests start: our binary is the one that other tests have built.
///
/// # Errors
/// As [`run`].
pub(crate) fn for_tests() -> Result<()> {
    run(&Options {
        out: Some(target_dir().join("image/test")),
        config: Some(repository().join("tests/image/gatehouse.toml")),
        profile: "dev".to_owned(),
        plain: true,
        ..Options::release()
    })
}

/// What goes onto the EFI system partition.
struct Parts {
    loader: Vec<u8>,
    efi: Vec<u8>,
    seconds: u32,
}

impl Parts {
    fn gather(
        options: &Options,
        board: &Board,
        work: &Path,
        program: &Path,
        config: Vec<u8>,
    ) -> Result<Self> {
        let seconds = commit_time()?;
        let (_, kernel) = packages::unpacked("kernel", &board.architecture, work)?;
        let (_, loader) = packages::unpacked("loader", &board.architecture, work)?;
        let (_, fsck) = packages::unpacked("fsck", &board.architecture, work)?;
        let release = only_entry(&kernel.join("usr/lib/modules"))?;
        let file = format!("board/{}/board.toml", options.board);
        let folder = kernel.join("usr/lib/modules").join(&release);
        let chosen = Chosen::of(&board.modules, &folder, &file)?;

        let mut archive = skeleton();
        archive.program("bin/gatehouse", read(program)?);
        archive.program("bin/e2fsck", read(&fsck.join("usr/sbin/e2fsck.static"))?);
        archive.file("etc/gatehouse/factory.toml", config);
        archive.file("etc/gatehouse/board", about(board, seconds));
        for (name, content) in chosen.files() {
            archive.file(&format!("lib/modules/{name}.ko"), content);
        }
        archive.file("lib/modules/list", chosen.list());
        archive.file("lib/modules/aliases", chosen.aliases());
        let level = if options.plain {
            PLAIN_LEVEL
        } else {
            INITRAMFS_LEVEL
        };
        let initramfs = zstd::encode_all(archive.bytes(seconds).as_slice(), level)?;

        let stub = read(&loader.join(&board.boot.stub))?;
        let kernel = read(&kernel.join(format!("boot/vmlinuz-{release}")))?;
        Ok(Self {
            efi: efi_file(&stub, &kernel, &initramfs, board, &release)?,
            loader: read(&loader.join(&board.boot.loader))?,
            seconds,
        })
    }

    fn write(&self, board: &Board, image: &Path) -> Result<()> {
        let slot = format!("EFI/Linux/gatehouse_{VERSION}.efi");
        let files: [EspFile; 3] = [
            (&board.boot.removable, &self.loader),
            (&slot, &self.efi),
            // Nobody may change the command line at the start.
            ("loader/loader.conf", b"timeout 0\neditor no\n"),
        ];
        disk::write(image, &board.disk, &files, self.seconds)
    }
}

/// The EFI file: sections of the stub. The kernel comes last, since it takes more memory than its file has bytes.
fn efi_file(
    stub: &[u8],
    kernel: &[u8],
    initramfs: &[u8],
    board: &Board,
    release: &str,
) -> Result<Vec<u8>> {
    let about = os_release();
    let section = |name, content| Section {
        name,
        content,
        memory: 0,
    };
    let sections = [
        section(".osrel", about.as_bytes()),
        section(".cmdline", board.boot.command_line.as_bytes()),
        section(".uname", release.as_bytes()),
        section(".initrd", initramfs),
        Section {
            name: ".linux",
            content: kernel,
            memory: uki::memory_of(kernel)?,
        },
    ];
    uki::joined(stub, &sections)
}

/// The folders that init mounts on, and what the kernel looks for.
fn skeleton() -> Archive {
    let mut archive = Archive::default();
    for folder in ["dev", "proc", "run", "state", "sys", "tmp"] {
        archive.folder(folder);
    }
    archive.device("dev/console", (5, 1));
    archive.link("init", "bin/gatehouse");
    archive.file("etc/os-release", os_release());
    archive
}

fn os_release() -> String {
    format!(
        "ID=gatehouse\nNAME=Gatehouse\nPRETTY_NAME=\"Gatehouse {VERSION}\"\nVERSION_ID={VERSION}\n\
         IMAGE_ID=gatehouse\nIMAGE_VERSION={VERSION}\n"
    )
}

/// What init has to know of the board: a line for each thing, its name first.
fn about(board: &Board, seconds: u32) -> String {
    let mut text = format!(
        "version {VERSION}\nbuilt {seconds}\nconsole {}\nmenu {}\n",
        board.console.device,
        if board.console.menu { "yes" } else { "no" },
    );
    let modules = board.modules.always.iter();
    text.extend(modules.map(|name| format!("module {}\n", name.replace('-', "_"))));
    let ports = board.network.order.iter();
    text.extend(ports.map(|place| format!("port {place}\n")));
    text
}

/// The time of everything in the image: that of the commit it is built from.
fn commit_time() -> Result<u32> {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"])
        .current_dir(repository());
    let text = env::var("SOURCE_DATE_EPOCH")
        .ok()
        .or_else(|| quietly(&mut git));
    let text = text.context(
        "this is no git checkout: set SOURCE_DATE_EPOCH to a time in seconds since 1970",
    )?;
    let seconds = text.trim().parse();
    seconds.with_context(|| format!("\"{}\" is no time in seconds since 1970", text.trim()))
}

fn only_entry(folder: &Path) -> Result<String> {
    let mut entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let entry = entries
        .next()
        .context("the kernel package has no modules")??;
    Ok(entry.file_name().to_string_lossy().into_owned())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
