//! The encoder's [`Gpu`] as a program that runs the kernels on the CPU (`tests/emulator`), compiled by
//! the host's C++ compiler from the same sources.
//!
//! It is a program of its own so that it can be built with sanitizers, and end where they find a
//! fault; commands go to its standard input.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use candle_core::{Error, Result};

use super::{Argument, Factor, Gpu, Part, PartMut, Shape};

/// How the kernels are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// For speed.
    Fast,
    /// With the compiler's address and undefined-behaviour sanitizers.
    Sanitized,
    /// With every access checked for races, bounds and initialisation by `checks.cpp`.
    Checked,
    /// As `Checked`, but the kernels of `faults.cu`.
    CheckedFaults,
    /// As `Sanitized`, but the kernels of `faults.cu`.
    SanitizedFaults,
}

impl Build {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Fast => &["-O2"],
            Self::Sanitized => &["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover"],
            Self::SanitizedFaults => {
                &["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover", "-DFAULTS"]
            }
            Self::Checked => &["-O1", "-DCHECKED"],
            Self::CheckedFaults => &["-O1", "-DCHECKED", "-DFAULTS"],
        }
    }

    fn is_checked(self) -> bool {
        matches!(self, Self::Checked | Self::CheckedFaults)
    }
}

/// The host's C++ compiler.
fn compiler() -> OsString {
    std::env::var_os("CXX").unwrap_or_else(|| OsString::from("g++"))
}

/// Whether there is a C++ compiler; says so where there is none.
#[expect(clippy::print_stderr, reason = "a test says that it is skipped")]
pub(crate) fn is_available() -> bool {
    let found = Command::new(compiler()).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: no C++ compiler {}; set CXX", compiler().display());
    }
    found
}

/// Compiles the emulator into a folder.
pub(crate) fn compile(build: Build, folder: &Path) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator");
    let program = folder.join("emulator");
    let base = || {
        let mut command = Command::new(compiler());
        command.current_dir(&sources).args([
            "-std=c++17",
            "-Wno-unknown-pragmas",
            "-I../../kernels",
        ]);
        command.args(build.options());
        command
    };
    if build.is_checked() {
        // Only the kernels are instrumented; what the instrumentation calls is in `checks.cpp`.
        let object = folder.join("kernels.o");
        run(base().args(["-fsanitize=thread", "-c", "kernels.cpp", "-o"]).arg(&object));
        run(base().args(["emulator.cpp", "checks.cpp"]).arg(&object).arg("-o").arg(&program));
    } else {
        run(base().args(["kernels.cpp", "emulator.cpp", "-o"]).arg(&program));
    }
    program
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A running emulator.
pub(crate) struct Emulator {
    process: RefCell<Child>,
    to: RefCell<BufWriter<ChildStdin>>,
    from: RefCell<BufReader<ChildStdout>>,
    buffers: RefCell<u32>,
}

/// A buffer of the emulator.
#[derive(Debug)]
pub(crate) struct Memory {
    number: u32,
    length: usize,
}

impl Emulator {
    /// Starts a compiled emulator.
    pub(crate) fn start(program: &Path) -> Self {
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            to: RefCell::new(BufWriter::new(process.stdin.take().unwrap())),
            from: RefCell::new(BufReader::new(process.stdout.take().unwrap())),
            process: RefCell::new(process),
            buffers: RefCell::new(0),
        }
    }

    /// Leaves out the barrier that is met for the first time as this one, from 0.
    pub(crate) fn omit_barrier(&self, number: u32) {
        self.send(b"O", &[number]).unwrap();
    }

    /// Different barriers met so far.
    pub(crate) fn barriers(&self) -> usize {
        self.send(b"S", &[]).unwrap();
        u32::from_ne_bytes(self.receive(1).unwrap().try_into().unwrap()) as usize
    }

    /// A copy in the device's memory.
    pub(crate) fn upload(&self, values: &[f32]) -> Result<Memory> {
        self.write(bytemuck::cast_slice(values))
    }

    fn write(&self, words: &[u32]) -> Result<Memory> {
        let memory = self.floats(words.len())?;
        self.send(b"W", &[memory.number, words.len() as u32])?;
        self.send(b"", words)?;
        Ok(memory)
    }

    fn send(&self, command: &[u8], words: &[u32]) -> Result<()> {
        let mut to = self.to.borrow_mut();
        let sent = to.write_all(command).and_then(|()| to.write_all(bytemuck::cast_slice(words)));
        sent.map_err(|error| self.complaint(&error))
    }

    fn receive(&self, words: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; 4 * words];
        let flushed = self.to.borrow_mut().flush();
        let read = flushed.and_then(|()| self.from.borrow_mut().read_exact(&mut bytes));
        read.map(|()| bytes).map_err(|error| self.complaint(&error))
    }

    /// What the program said before it ended.
    fn complaint(&self, error: &std::io::Error) -> Error {
        let mut text = String::new();
        let mut process = self.process.borrow_mut();
        if let Some(mut stderr) = process.stderr.take() {
            stderr.read_to_string(&mut text).unwrap();
        }
        Error::Msg(format!("the emulator ended ({error}): {text}"))
    }

    fn send_factor(&self, factor: &Factor<'_, Memory>) -> Result<()> {
        let Part { memory, range } = &factor.values;
        let transposed = u32::from(factor.is_transposed);
        self.send(b"", &[place(memory, range)?, [factor.stride as u32, transposed]].concat())
    }
}

/// A part's buffer and first value; the part has to lie inside the buffer.
fn place(memory: &Memory, range: &std::ops::Range<usize>) -> Result<[u32; 2]> {
    if range.start > range.end || range.end > memory.length {
        candle_core::bail!("part {range:?} of a buffer of {}", memory.length);
    }
    Ok([memory.number, range.start as u32])
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let process = self.process.get_mut();
        process.kill().and_then(|()| process.wait()).unwrap();
    }
}

impl Gpu for Emulator {
    type Floats = Memory;
    type Indices = Memory;

    fn floats(&self, length: usize) -> Result<Memory> {
        self.send(b"A", &[length as u32])?;
        *self.buffers.borrow_mut() += 1;
        // Buffer 0 is the shared memory.
        Ok(Memory { number: *self.buffers.borrow(), length })
    }

    fn indices(&self, values: &[u32]) -> Result<Memory> {
        self.write(values)
    }

    fn read(&self, values: &Memory) -> Result<Vec<f32>> {
        self.send(b"R", &[values.number, 0, values.length as u32])?;
        let bytes = self.receive(values.length)?;
        Ok(bytes.as_chunks().0.iter().map(|&word| f32::from_ne_bytes(word)).collect())
    }

    fn multiply(
        &self,
        out: PartMut<'_, Memory>,
        left: Factor<'_, Memory>,
        right: Factor<'_, Memory>,
        accumulate: bool,
    ) -> Result<()> {
        let ((rows, depth), (inner, columns)) = (left.size(), right.size());
        assert_eq!((depth, rows * columns), (inner, out.range.len()), "sizes agree");
        self.send(b"M", &place(out.memory, &out.range)?)?;
        self.send_factor(&left)?;
        self.send_factor(&right)?;
        self.send(b"", &[rows, columns, depth, usize::from(accumulate)].map(|x| x as u32))
    }

    fn launch(
        &self,
        kernel: &'static str,
        shape: Shape,
        arguments: Vec<Argument<'_, Memory, Memory>>,
    ) -> Result<()> {
        self.send(b"L", &[kernel.len() as u32])?;
        self.send(kernel.as_bytes(), &[])?;
        let ([columns, rows], [x, y]) = (shape.blocks, shape.threads);
        self.send(b"", &[columns, rows, x, y, shape.shared, arguments.len()].map(|n| n as u32))?;
        for argument in arguments {
            let value = match argument {
                Argument::Read(part) => {
                    self.send(b"P", &place(part.memory, &part.range)?)?;
                    continue;
                }
                Argument::Write(part) => {
                    self.send(b"P", &place(part.memory, &part.range)?)?;
                    continue;
                }
                Argument::Indices(memory) => {
                    self.send(b"P", &[memory.number, 0])?;
                    continue;
                }
                Argument::Count(value) => u64::from(value),
                Argument::Key(value) => value,
                Argument::Real(value) => u64::from(value.to_bits()),
            };
            self.send(b"V", &[value as u32, (value >> 32) as u32])?;
        }
        Ok(())
    }
}
