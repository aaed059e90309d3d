//! Containers of arrays: `.npz`, a folder of `.npy`, `.safetensors`.

use std::io::{Cursor, Read as _};
use std::path::Path;

use fs_err as fs;
use half::{bf16, f16};
use npyz::{Deserialize, NpyFile, Order};
use safetensors::{Dtype, SafeTensors};

use ambivox_settings::some_listed;

use super::Settings;
use super::found::{Array, Found};

/// A `.npz`: the arrays of the settings `id` and `values` where the latter is there, else every array by
/// its own name.
pub(super) fn npz(bytes: &[u8], settings: &Settings) -> Result<Found, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(text)?;
    if entries(bytes).is_some_and(|entries| entries != archive.len()) {
        return Err("arrays whose names come more than once; leave one of each".to_owned());
    }
    if settings.id.is_some() && settings.values.is_none() {
        return Err(
            "frontend.id names the ids of one array; name that in frontend.values".to_owned()
        );
    }
    if let Some(values) = &settings.values {
        let names = entry(&mut archive, settings.id())?;
        let array = numbers(&entry(&mut archive, values)?)?;
        return paired(settings.id(), &texts(&names)?, values, &array);
    }
    let names = names(&archive)?;
    let mut found = Found::default();
    for name in &names {
        let array = numbers(&entry(&mut archive, name)?).map_err(|e| {
            format!(
                "{name}: {e}\nhint: where one array has the values of all, name it in \
                     frontend.values, and that of the ids in frontend.id"
            )
        })?;
        found.add(name.to_owned(), array);
    }
    Ok(found)
}

/// How many entries an archive says that it has, where that is said in 16 bits; of entries of one name its
/// reader keeps the last.
fn entries(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let count = u16::from_le_bytes(*bytes.get(at + 10..)?.first_chunk()?);
    (count != u16::MAX).then_some(usize::from(count))
}

/// Names of an archive's arrays, sorted.
fn names(archive: &zip::ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, String> {
    let files = archive.file_names().collect::<Result<Vec<_>, _>>().map_err(text)?;
    let arrays = files.iter().filter_map(|file| file.strip_suffix(".npy")).map(str::to_owned);
    let mut names: Vec<String> = arrays.collect();
    names.sort();
    Ok(names)
}

/// The bytes of an array of an archive.
fn entry(archive: &mut zip::ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, String> {
    let file = format!("{name}.npy");
    let Some(at) = archive.index_for_name(&file) else {
        return Err(format!(
            "there is no array {name:?}; it has: {}",
            some_listed(&names(archive)?)
        ));
    };
    let entry = archive.by_index(at).map_err(|e| format!("{name}: {e}"))?;
    // No more than it says, whatever it inflates to.
    let mut bytes = Vec::new();
    let size = entry.size();
    entry.take(size).read_to_end(&mut bytes).map_err(|e| format!("{name}: {e}"))?;
    Ok(bytes)
}

/// Each row of an array under the name at its place.
fn paired(id: &str, names: &[String], values: &str, array: &Array) -> Result<Found, String> {
    let (rows, shape) = array.shape.split_first().ok_or_else(|| format!("{values}: one number"))?;
    if *rows != names.len() {
        return Err(format!("{id} has {} names and {values} {rows} rows", names.len()));
    }
    let size = if names.is_empty() { 0 } else { array.values.len() / names.len() };
    let mut found = Found::default();
    for (at, name) in names.iter().enumerate() {
        let values = array.values[at * size..(at + 1) * size].to_vec();
        found.add(name.clone(), Array { shape: shape.to_vec(), values });
    }
    Ok(found)
}

/// A folder of `.npy`, each named by its path below it.
pub(super) fn folder(path: &Path) -> Result<Found, String> {
    let mut found = Found::default();
    for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(text)?;
        let file = entry.path();
        if entry.file_type().is_file() && file.extension().is_some_and(|e| e == "npy") {
            let name = file.strip_prefix(path).unwrap_or(file).with_extension("");
            let name = name.to_string_lossy().into_owned();
            let bytes = fs::read(file).map_err(text)?;
            let array = numbers(&bytes).map_err(|e| format!("{name}.npy: {e}"))?;
            found.add(name, array);
        }
    }
    Ok(found)
}

/// A `.safetensors`: every tensor by its own name.
pub(super) fn safetensors(bytes: &[u8]) -> Result<Found, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
    let mut found = Found::default();
    for (name, view) in tensors.tensors() {
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F32 => each(data, f32::from_le_bytes),
            Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
            Dtype::F16 => each(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => each(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            other => return Err(format!("{name} is {other:?}; expected F16, BF16, F32 or F64")),
        };
        found.add(name, Array { shape: view.shape().to_vec(), values });
    }
    Ok(found)
}

fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks::<N>().0.iter().map(|&bytes| value(bytes)).collect()
}

/// The numbers of a `.npy`, each as the nearest of single precision.
fn numbers(bytes: &[u8]) -> Result<Array, String> {
    let file = checked(bytes)?;
    let shape = shape(&file)?;
    let order = file.order();
    let values = elements::<f32>(bytes)
        .or_else(|| elements::<f64>(bytes).map(|v| v.into_iter().map(|x| x as f32).collect()))
        .or_else(|| elements::<f16>(bytes).map(|v| v.into_iter().map(f16::to_f32).collect()));
    let values =
        values.ok_or_else(|| format!("{}; expected f2, f4 or f8", file.dtype().descr()))?;
    let values = if order == Order::Fortran { row_major(&shape, &values) } else { values };
    Ok(Array { shape, values })
}

/// The texts of a `.npy`.
fn texts(bytes: &[u8]) -> Result<Vec<String>, String> {
    let file = checked(bytes)?;
    elements::<String>(bytes).ok_or_else(|| {
        format!(
            "the ids are {}; expected texts, as numpy.array([…], dtype=str)",
            file.dtype().descr()
        )
    })
}

/// A `.npy` that has as many bytes as its header says, so that nothing is reserved for what is not there.
fn checked(bytes: &[u8]) -> Result<NpyFile<&[u8]>, String> {
    check_header(bytes)?;
    let file = NpyFile::new(bytes).map_err(text)?;
    let size = file.dtype().num_bytes().filter(|size| *size > 0);
    let size = size.ok_or("not an array of numbers or texts")?;
    let length = file.shape().iter().try_fold(size as u64, |all, &axis| all.checked_mul(axis));
    let left = NpyFile::new(bytes).map_err(text)?.into_inner().len() as u64;
    if length != Some(left) {
        let (shape, dtype) = (file.shape(), file.dtype().descr());
        return Err(format!("{left} bytes, which are not {shape:?} of {dtype}; is it whole?"));
    }
    Ok(file)
}

/// Longest header in bytes; one of an array of numbers or texts has some 120.
const LONGEST_HEADER: usize = 4096;

/// Refuses headers that would take for ever to parse: that of an array of numbers or texts is one line, with
/// one shape in it and no list.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    let end = bytes.iter().take(LONGEST_HEADER).position(|&byte| byte == b'\n');
    let header = end.map(|end| &bytes[..end]).ok_or("not an array of NumPy's")?;
    let count = |of: u8| header.iter().skip(10).filter(|&&byte| byte == of).count();
    let simple = count(b'[') == 0 && count(b'(') <= 1 && count(b'{') <= 1;
    simple.then_some(()).ok_or_else(|| "not an array of numbers or texts".to_owned())
}

/// The elements, where they are of this type.
fn elements<T: Deserialize>(bytes: &[u8]) -> Option<Vec<T>> {
    NpyFile::new(bytes).ok()?.data::<T>().ok()?.collect::<Result<_, _>>().ok()
}

fn shape(file: &NpyFile<&[u8]>) -> Result<Vec<usize>, String> {
    file.shape().iter().map(|&axis| usize::try_from(axis).map_err(text)).collect()
}

/// Values whose first axis moves fastest, with the last moving fastest.
fn row_major(shape: &[usize], values: &[f32]) -> Vec<f32> {
    let place = |mut at: usize| {
        let mut from = 0;
        let mut stride = values.len();
        for &axis in shape.iter().rev() {
            stride /= axis;
            from += (at % axis) * stride;
            at /= axis;
        }
        values[from]
    };
    (0..values.len()).map(place).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
