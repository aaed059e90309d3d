//! Values in rows, as models read them: a safetensors file that is mapped into memory and read where it
//! lies, so that trainings of any number share one copy and hold none.
//!
//! Its tensors are `values`, floats of 32 or of 16 bits, of rows × columns; `row_ends`, behind which row each
//! utterance ends; `ids`, all ids as UTF-8, and `id_ends`, behind which byte each ends. Utterances are sorted
//! by id.

use std::borrow::Cow;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ambivox_frontends::{Precision, halves, of_layer};
use ambivox_nn::Values;
use fs_err as fs;
use half::f16;
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata};
use serde_json::json;

use crate::FeatureError;
use crate::room::check_room;

const _: () = assert!(cfg!(target_endian = "little"), "values are mapped as they lie in the file");

const VALUES: &str = "values";
const ROW_ENDS: &str = "row_ends";
const IDS: &str = "ids";
const ID_ENDS: &str = "id_ends";
/// Name of the metadata that has the columns' names, as JSON.
const COLUMNS: &str = "columns";
/// Where values begin is a multiple of this.
const ALIGNMENT: usize = 64;

/// The rows of all utterances of a file: frames, or one vector each.
#[derive(Debug, Clone)]
pub struct FeatureTable {
    file: Arc<Mapped>,
    /// Those columns that it is a table of.
    columns: Range<usize>,
}

impl FeatureTable {
    /// Maps a file that [`RowWriter`] has written.
    ///
    /// # Errors
    /// The file cannot be read, or has another form.
    pub fn open(path: &Path) -> Result<Self, FeatureError> {
        let file = Mapped::open(path)?;
        Ok(Self { columns: 0..file.columns.len(), file: Arc::new(file) })
    }

    /// The utterance's values where they lie, row-major rows × [`FeatureTable::width`].
    pub fn values(&self, utterance_id: &str) -> Option<Values<'_>> {
        self.file.find(utterance_id).map(|at| self.rows(at))
    }

    /// The same values in 32 bits, whatever they are kept in.
    pub fn get(&self, utterance_id: &str) -> Option<Cow<'_, [f32]>> {
        self.values(utterance_id).map(Values::widened)
    }

    fn rows(&self, at: usize) -> Values<'_> {
        self.file.rows(at, &self.columns)
    }

    /// Ids of the utterances, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        (0..self.file.utterances()).map(|at| self.file.id(at))
    }

    /// Names of the values of a row, in the front end's order.
    pub fn columns(&self) -> &[String] {
        &self.file.columns[self.columns.clone()]
    }

    /// Values of a row.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The tables of the layers that it has, from the lowest; itself where there is but one.
    pub fn layers(&self) -> Vec<Self> {
        let mut layers = Vec::new();
        loop {
            let prefix = of_layer(layers.len());
            let mut own = self.columns.clone();
            own.start +=
                self.columns().iter().take_while(|name| !name.starts_with(&prefix)).count();
            let rest = &self.file.columns[own.clone()];
            own.end = own.start + rest.iter().take_while(|name| name.starts_with(&prefix)).count();
            if own.is_empty() {
                break;
            }
            layers.push(Self { file: Arc::clone(&self.file), columns: own });
        }
        if layers.is_empty() { vec![self.clone()] } else { layers }
    }

    /// Writes a file of the same utterances and precision whose rows `change` has changed.
    ///
    /// # Errors
    /// The disk has no room for it, or the file cannot be written.
    pub fn write_changed(
        &self,
        path: &Path,
        change: impl Fn(&str, &mut [f32]),
    ) -> Result<(), FeatureError> {
        let bytes = self.file.values.len() + self.file.ids.len();
        check_room(Some(bytes as u64), Some(path))?;
        let mut writer = RowWriter::create(path, self.columns().to_vec(), self.file.precision)?;
        for at in 0..self.file.utterances() {
            let mut rows = self.rows(at).widened().into_owned();
            change(self.file.id(at), &mut rows);
            writer.push(self.file.id(at), &rows)?;
        }
        writer.finish()
    }
}

/// A file in memory, and where its parts are.
#[derive(Debug)]
struct Mapped {
    bytes: Mmap,
    columns: Vec<String>,
    precision: Precision,
    values: Range<usize>,
    row_ends: Range<usize>,
    ids: Range<usize>,
    id_ends: Range<usize>,
}

impl Mapped {
    fn open(path: &Path) -> Result<Self, FeatureError> {
        let file = fs::File::open(path)?;
        #[expect(unsafe_code, reason = "files of the store are written once and never changed")]
        // SAFETY: a stage writes the file under another name, and nobody writes to it afterwards; who
        // cuts it short nevertheless ends those who read it, and no value is made of what is gone.
        let bytes = unsafe { Mmap::map(file.file()) }?;
        Self::of(bytes).map_err(|message| FeatureError::Rows { file: path.to_path_buf(), message })
    }

    fn of(bytes: Mmap) -> Result<Self, String> {
        let (header, tensors) = SafeTensors::read_metadata(&bytes).map_err(|e| e.to_string())?;
        let columns = tensors.metadata().as_ref().and_then(|said| said.get(COLUMNS));
        let columns: Vec<String> =
            columns
                .and_then(|columns| serde_json::from_str(columns).ok())
                .ok_or_else(|| format!("its metadata have no list `{COLUMNS}`"))?;
        let values = tensors.info(VALUES).map(|info| info.dtype);
        let precision = if values == Some(Dtype::F16) { Precision::F16 } else { Precision::F32 };
        let part = |name, dtype| part(&tensors, name, dtype).map(|at| moved(at, HEAD + header));
        let mapped = Self {
            values: part(VALUES, dtype(precision))?,
            row_ends: part(ROW_ENDS, Dtype::U64)?,
            ids: part(IDS, Dtype::U8)?,
            id_ends: part(ID_ENDS, Dtype::U64)?,
            columns,
            precision,
            bytes,
        };
        mapped.check().map(|()| mapped)
    }

    /// That every utterance has its rows and its id inside of the file, sorted by id.
    fn check(&self) -> Result<(), String> {
        let (count, row) = (self.utterances(), self.precision.bytes() * self.columns.len());
        let values = &self.bytes[self.values.clone()];
        let are_floats = match self.precision {
            Precision::F32 => bytemuck::try_cast_slice::<_, f32>(values).is_ok(),
            Precision::F16 => bytemuck::try_cast_slice::<_, f16>(values).is_ok(),
        };
        if row == 0 || !are_floats || !self.values.len().is_multiple_of(row) {
            return Err("its values are no rows of floats".to_owned());
        }
        let rows = (&self.row_ends, self.values.len() / row);
        for (ends, last) in [rows, (&self.id_ends, self.ids.len())] {
            let found = (0..count).map(|at| self.end(ends, at));
            let whole = ends.len() == 8 * count && found.is_sorted();
            if !whole || count.checked_sub(1).map_or(0, |at| self.end(ends, at)) != last {
                return Err(format!("its {count} utterances do not end at {last}"));
            }
        }
        let mut before = "";
        for at in 0..count {
            let id = std::str::from_utf8(self.id_bytes(at)).map_err(|e| e.to_string())?;
            if id <= before {
                return Err(format!("{id:?} follows {before:?}; ids are sorted, each once"));
            }
            before = id;
        }
        Ok(())
    }

    fn utterances(&self) -> usize {
        self.row_ends.len() / 8
    }

    /// Where the entry at this place ends.
    fn end(&self, ends: &Range<usize>, at: usize) -> usize {
        let from = ends.start + 8 * at;
        let bytes = self.bytes.get(from..from + 8).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(usize::MAX, |bytes| u64::from_le_bytes(*bytes) as usize)
    }

    /// From where to where the entry at this place is.
    fn entry(&self, ends: &Range<usize>, at: usize) -> Range<usize> {
        let start = if at == 0 { 0 } else { self.end(ends, at - 1) };
        start..self.end(ends, at)
    }

    fn id_bytes(&self, at: usize) -> &[u8] {
        &self.bytes[moved(self.entry(&self.id_ends, at), self.ids.start)]
    }

    fn id(&self, at: usize) -> &str {
        // Checked when the file was opened.
        std::str::from_utf8(self.id_bytes(at)).unwrap_or_default()
    }

    /// These columns of an utterance: all of its rows, or some of the one row that who has several layers
    /// has.
    fn rows(&self, at: usize, columns: &Range<usize>) -> Values<'_> {
        let width = self.columns.len();
        let Range { start, end } = self.entry(&self.row_ends, at);
        let rows = start * width..end * width;
        let within = if columns.len() == width { 0..rows.len() } else { columns.clone() };
        let values = &self.bytes[self.values.clone()];
        match self.precision {
            Precision::F32 => (&bytemuck::cast_slice::<_, f32>(values)[rows][within]).into(),
            Precision::F16 => (&bytemuck::cast_slice::<_, f16>(values)[rows][within]).into(),
        }
    }

    fn find(&self, id: &str) -> Option<usize> {
        let (mut from, mut to) = (0, self.utterances());
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.id(middle) < id { from = middle + 1 } else { to = middle }
        }
        (from < self.utterances() && self.id(from) == id).then_some(from)
    }
}

fn moved(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

fn dtype(precision: Precision) -> Dtype {
    match precision {
        Precision::F32 => Dtype::F32,
        Precision::F16 => Dtype::F16,
    }
}

/// Where a tensor of this type is.
fn part(tensors: &Metadata, name: &str, dtype: Dtype) -> Result<Range<usize>, String> {
    let found = tensors.info(name).filter(|info| info.dtype == dtype);
    let found = found.ok_or_else(|| format!("it has no tensor `{name}` of type {dtype:?}"))?;
    Ok(found.data_offsets.0..found.data_offsets.1)
}

/// A file in the making: rows are written as they come.
#[derive(Debug)]
pub struct RowWriter {
    path: PathBuf,
    file: BufWriter<fs::File>,
    columns: Vec<String>,
    precision: Precision,
    row_ends: Vec<u64>,
    ids: String,
    id_ends: Vec<u64>,
}

impl RowWriter {
    /// Creates a file of rows with these columns, whose values are rounded to a precision.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(
        path: &Path,
        columns: Vec<String>,
        precision: Precision,
    ) -> Result<Self, FeatureError> {
        let mut file = BufWriter::with_capacity(1 << 20, fs::File::create(path)?);
        // The header is known when all is written; till then its room is kept.
        file.write_all(&vec![0; HEAD + room(&columns)])?;
        let (path, row_ends, ids, id_ends) =
            (path.to_path_buf(), Vec::new(), String::new(), Vec::new());
        Ok(Self { path, file, columns, precision, row_ends, ids, id_ends })
    }

    /// Appends an utterance's rows.
    ///
    /// # Errors
    /// The id does not come after those before it; the values are no whole rows; the file cannot be written.
    pub fn push(&mut self, id: &str, rows: &[f32]) -> Result<(), FeatureError> {
        let width = self.columns.len();
        let before = &self.ids[self.id_ends.iter().rev().nth(1).map_or(0, |end| *end as usize)..];
        if id <= before || width == 0 || !rows.len().is_multiple_of(width) {
            let values = rows.len();
            let message =
                format!("{id}, with {values} values, follows {before}, of rows of {width}");
            return Err(FeatureError::Rows { file: self.path.clone(), message });
        }
        match self.precision {
            Precision::F32 => self.file.write_all(bytemuck::cast_slice(rows))?,
            Precision::F16 => self.file.write_all(bytemuck::cast_slice(&halves(rows)))?,
        }
        let end = self.row_ends.last().copied().unwrap_or(0);
        self.row_ends.push(end + (rows.len() / width) as u64);
        self.ids.push_str(id);
        self.id_ends.push(self.ids.len() as u64);
        Ok(())
    }

    /// Writes what stands behind the rows, and the header before them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<(), FeatureError> {
        let Self { mut file, columns, precision, row_ends, ids, id_ends, .. } = self;
        file.write_all(bytemuck::cast_slice(&row_ends))?;
        file.write_all(bytemuck::cast_slice(&id_ends))?;
        file.write_all(ids.as_bytes())?;
        file.seek(SeekFrom::Start(0))?;
        let (rows, room) = (row_ends.last().copied().unwrap_or(0), room(&columns));
        let header = header(&columns, precision, [rows, row_ends.len() as u64, ids.len() as u64]);
        file.write_all(&(room as u64).to_le_bytes())?;
        // Formatted padding has an end at 65,535, and the names of an encoder's layers are longer.
        let mut header = header.into_bytes();
        header.resize(room, b' ');
        file.write_all(&header)?;
        Ok(file.flush()?)
    }
}

/// Bytes before the header, which say its length.
const HEAD: usize = 8;

/// Length of the header with its padding, whatever it will say of sizes.
fn room(columns: &[String]) -> usize {
    let longest = header(columns, Precision::F32, [MOST; 3]).len();
    (HEAD + longest).next_multiple_of(ALIGNMENT) - HEAD
}

/// Rows, utterances or bytes at most: all offsets stay below 2⁶⁴.
const MOST: u64 = 1 << 45;

/// The header of so many rows, utterances and bytes of ids.
fn header(columns: &[String], precision: Precision, sizes: [u64; 3]) -> String {
    let ([rows, utterances, bytes], width) = (sizes, columns.len() as u64);
    let mut from = 0;
    let mut tensor = |dtype: &str, shape: &[u64], size: u64| {
        let start = from;
        from += size * shape.iter().product::<u64>();
        json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, from] })
    };
    json!({
        "__metadata__": { COLUMNS: json!(columns).to_string() },
        VALUES: tensor(&format!("{:?}", dtype(precision)), &[rows, width], precision.bytes() as u64),
        ROW_ENDS: tensor("U64", &[utterances], 8),
        ID_ENDS: tensor("U64", &[utterances], 8),
        IDS: tensor("U8", &[bytes], 1),
    })
    .to_string()
}

#[cfg(test)]
mod tests;
