//! The protocol buffers of an event file, as far as they are used.

use prost::{Message, Oneof};

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(crate) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(crate) step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    pub(crate) what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

impl What {
    pub(crate) fn version(version: &str) -> Self {
        Self::FileVersion(version.to_owned())
    }

    pub(crate) fn value(tag: &str, content: value::Content) -> Self {
        let plugin = match content {
            value::Content::Scalar(_) => "scalars",
            value::Content::Image(_) => "images",
            value::Content::Histogram(_) => "histograms",
            value::Content::Tensor(_) => "text",
        };
        let plugin = Some(Plugin { name: plugin.to_owned() });
        let metadata = Some(Metadata { plugin });
        let value = Value { tag: tag.to_owned(), metadata, content: Some(content) };
        Self::Summary(Summary { values: vec![value] })
    }
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(crate) values: Vec<Value>,
}

/// `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Value {
    #[prost(string, tag = "1")]
    pub(crate) tag: String,
    #[prost(message, optional, tag = "9")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(oneof = "value::Content", tags = "2, 4, 5, 8")]
    pub(crate) content: Option<value::Content>,
}

pub(crate) mod value {
    use super::{Histogram, Oneof, Picture, Tensor};

    #[derive(Clone, PartialEq, Oneof)]
    pub(crate) enum Content {
        #[prost(float, tag = "2")]
        Scalar(f32),
        #[prost(message, tag = "4")]
        Image(Picture),
        #[prost(message, tag = "5")]
        Histogram(Histogram),
        #[prost(message, tag = "8")]
        Tensor(Tensor),
    }

    impl Content {
        pub(crate) fn text(markdown: &str) -> Self {
            Self::Tensor(Tensor { kind: super::STRING, strings: vec![markdown.into()] })
        }
    }
}

/// `tensorflow.SummaryMetadata`: who shows a value.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub(crate) plugin: Option<Plugin>,
}

/// `tensorflow.SummaryMetadata.PluginData`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Plugin {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

/// `tensorflow.Summary.Image`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Picture {
    #[prost(int32, tag = "1")]
    pub(crate) height: i32,
    #[prost(int32, tag = "2")]
    pub(crate) width: i32,
    /// 3: red, green and blue.
    #[prost(int32, tag = "3")]
    pub(crate) colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) png: Vec<u8>,
}

/// `tensorflow.HistogramProto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(double, tag = "1")]
    pub(crate) min: f64,
    #[prost(double, tag = "2")]
    pub(crate) max: f64,
    #[prost(double, tag = "3")]
    pub(crate) number: f64,
    #[prost(double, tag = "4")]
    pub(crate) sum: f64,
    #[prost(double, tag = "5")]
    pub(crate) sum_squares: f64,
    /// Upper ends of the buckets.
    #[prost(double, repeated, tag = "6")]
    pub(crate) limits: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    pub(crate) counts: Vec<f64>,
}

/// `DT_STRING` of `tensorflow.DataType`.
const STRING: i32 = 7;

/// `tensorflow.TensorProto`, a single string without shape.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Tensor {
    #[prost(int32, tag = "1")]
    pub(crate) kind: i32,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(crate) strings: Vec<Vec<u8>>,
}
