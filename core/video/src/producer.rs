//! One pipeline, from the first element to the preview. It is never made into another one: what
//! cannot be set on a running element is set on the next pipeline.
//!
//! ```text
//! videotestsrc ! caps asked for ! (counted here) ! queue of 1, leaky ! valve !
//!   videoscale ! videoconvert ! RGBA at preview size ! appsink, newest only
//! ```

use std::sync::Arc;

use gstreamer as gst;
use gstreamer::{glib, prelude::*};
use gstreamer_app as gst_app;
use gstreamer_video::{VideoFrameRef, VideoInfo, prelude::*};

use crate::{
    config::SourceConfig,
    error::VideoError,
    shared::{Generation, Picture, Shared},
};

/// Elements used here, and the Debian packages that hold them.
const ELEMENTS: [(&str, &str); 7] = [
    ("videotestsrc", "gstreamer1.0-plugins-base"),
    ("capsfilter", "libgstreamer1.0-0"),
    ("queue", "libgstreamer1.0-0"),
    ("valve", "libgstreamer1.0-0"),
    ("videoscale", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
    ("appsink", "gstreamer1.0-plugins-base"),
];

/// Starts GStreamer and looks for the elements that sources are made of. Calling it again costs
/// little. The first call may take a second, while GStreamer looks through its plugins.
///
/// # Errors
/// [`VideoError::Init`], or [`VideoError::MissingElement`] with the package to install.
pub fn init() -> Result<(), VideoError> {
    gst::init().map_err(|error| VideoError::Init { cause: error.to_string() })?;
    for (element, package) in ELEMENTS {
        if gst::ElementFactory::find(element).is_none() {
            return Err(VideoError::MissingElement { element, package });
        }
    }
    Ok(())
}

/// One running pipeline. Dropping it stops it.
pub(crate) struct Producer {
    pipeline: gst::Pipeline,
    source: gst::Element,
    valve: gst::Element,
    generation: Generation,
}

impl Producer {
    /// Builds and starts a pipeline as the next candidate. Blocks while elements open what they
    /// need.
    pub(crate) fn start(config: &SourceConfig, shared: &Arc<Shared>) -> Result<Self, VideoError> {
        init()?;
        let caps = config.caps()?;
        let source = element("videotestsrc")?;
        let pattern = pattern(&source, &config.pattern)?;
        source.set_property("is-live", true);
        source.set_property_from_value("pattern", &pattern);

        let asked = element("capsfilter")?;
        asked.set_property("caps", &caps);
        let queue = element("queue")?;
        queue.set_property_from_str("leaky", "downstream");
        queue.set_property("max-size-buffers", 1_u32);
        queue.set_property("max-size-bytes", 0_u32);
        queue.set_property("max-size-time", 0_u64);
        let valve = element("valve")?;
        valve.set_property("drop", !config.preview);
        // Scaled first: converting the small picture is cheaper than converting the large one.
        let scale = element("videoscale")?;
        scale.set_property("add-borders", false);
        let convert = element("videoconvert")?;
        let sink = preview_sink(config);

        let pipeline = gst::Pipeline::new();
        let chain = [&source, &asked, &queue, &valve, &scale, &convert, sink.upcast_ref()];
        let broken = |error: glib::BoolError| VideoError::Pipeline { message: error.to_string() };
        pipeline.add_many(chain).map_err(broken)?;
        gst::Element::link_many(chain).map_err(broken)?;

        let generation = shared.nominate(config.preview);
        watch_source(&asked, generation, shared);
        watch_sink(&sink, generation, shared);
        watch_bus(&pipeline, generation, shared);

        // From here on dropping the producer takes the pipeline down again.
        let producer = Self { pipeline, source, valve, generation };
        if producer.pipeline.set_state(gst::State::Playing).is_err() {
            // The cause, if there is one, came over the bus before the call returned.
            shared.failed(generation, "the picture pipeline cannot be started".to_owned());
        }
        Ok(producer)
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Sets what can be set while it runs: pattern and preview.
    pub(crate) fn adjust(&self, config: &SourceConfig) -> Result<(), VideoError> {
        let pattern = pattern(&self.source, &config.pattern)?;
        self.source.set_property_from_value("pattern", &pattern);
        self.valve.set_property("drop", !config.preview);
        Ok(())
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // A pipeline that is not taken down keeps its threads and its memory for good.
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "a picture pipeline could not be stopped");
        }
        if let Some(bus) = self.pipeline.bus() {
            bus.unset_sync_handler();
        }
    }
}

fn element(name: &'static str) -> Result<gst::Element, VideoError> {
    let package = ELEMENTS.iter().find(|(known, _)| *known == name).map_or("", |found| found.1);
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| VideoError::MissingElement { element: name, package })
}

/// The value of the pattern property that goes by this name.
fn pattern(source: &gst::Element, nick: &str) -> Result<glib::Value, VideoError> {
    let missing = VideoError::Property { element: "videotestsrc", property: "pattern" };
    let property = source.find_property("pattern").ok_or_else(|| missing.clone())?;
    let patterns = glib::EnumClass::with_type(property.value_type()).ok_or(missing)?;
    patterns
        .values()
        .iter()
        .find(|known| known.nick() == nick)
        .map(|known| known.to_value(&patterns))
        .ok_or_else(|| VideoError::Pattern {
            pattern: nick.to_owned(),
            known: patterns
                .values()
                .iter()
                .map(|known| known.nick())
                .collect::<Vec<_>>()
                .join(", "),
        })
}

fn preview_sink(config: &SourceConfig) -> gst_app::AppSink {
    let (width, height) = config.preview_size();
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "RGBA")
        .field("width", side(width))
        .field("height", side(height))
        .build();
    gst_app::AppSink::builder()
        .caps(&caps)
        .max_buffers(1)
        .drop(true)
        // The source keeps the time itself; waiting here too would only make pictures older.
        .sync(false)
        // With the valve shut no picture ever comes, and starting must not wait for one.
        .async_(false)
        .enable_last_sample(false)
        .build()
}

/// Counts frames and reads caps where the source's own pictures pass.
fn watch_source(asked: &gst::Element, generation: Generation, shared: &Arc<Shared>) {
    let Some(pad) = asked.static_pad("src") else { return };
    let shared = shared.clone();
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(kinds, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(_)) => shared.arrived(generation),
            Some(gst::PadProbeData::Event(event)) => {
                if let gst::EventView::Caps(caps) = event.view()
                    && let Ok(found) = VideoInfo::from_caps(caps.caps())
                {
                    let format = found.format().to_str().to_string();
                    shared.negotiated(generation, (found.width(), found.height(), format));
                }
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

/// Takes preview pictures out of the pipeline.
fn watch_sink(sink: &gst_app::AppSink, generation: Generation, shared: &Arc<Shared>) {
    let shared = shared.clone();
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let picture = picture(&sample).ok_or(gst::FlowError::Error)?;
        shared.publish(generation, picture);
        Ok(gst::FlowSuccess::Ok)
    });
    sink.set_callbacks(callbacks.build());
}

/// Hears of errors in the thread they happen in: no main loop is needed.
fn watch_bus(pipeline: &gst::Pipeline, generation: Generation, shared: &Arc<Shared>) {
    let Some(bus) = pipeline.bus() else { return };
    let shared = shared.clone();
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => {
                shared.failed(generation, told(error));
            }
            gst::MessageView::Eos(_) => {
                shared.failed(generation, "the pictures ended".to_owned());
            }
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}

/// An error as a sentence. The last line of the debug text holds the cause.
fn told(error: &gst::message::Error) -> String {
    let element = error.src().map(|object| object.name().to_string()).unwrap_or_default();
    let cause =
        error.debug().and_then(|text| text.lines().last().map(|line| line.trim().to_owned()));
    match cause.filter(|line| !line.is_empty()) {
        Some(cause) => format!("{element}: {} ({cause})", error.error()),
        None => format!("{element}: {}", error.error()),
    }
}

/// Copies a picture out of a sample, rows without padding.
fn picture(sample: &gst::Sample) -> Option<Picture> {
    let info = VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    let stride = usize::try_from(*frame.plane_stride().first()?).ok()?;
    let row = info.width() as usize * 4;
    let data = frame.plane_data(0).ok()?;
    let mut rgba = Vec::with_capacity(row * info.height() as usize);
    for line in 0..info.height() as usize {
        rgba.extend_from_slice(data.get(line * stride..line * stride + row)?);
    }
    Some(Picture { width: info.width(), height: info.height(), rgba })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Producer {
        /// Makes its first element report an error, as a device does that goes away.
        pub(crate) fn break_down(&self, cause: &str) {
            let error = gst::message::Error::builder(gst::ResourceError::Read, cause);
            self.pipeline.bus().unwrap().post(error.src(&self.source).build()).unwrap();
        }
    }

    #[test]
    fn padding_between_rows_is_left_out() {
        init().unwrap();
        let info = VideoInfo::builder(gstreamer_video::VideoFormat::Rgba, 2, 2).build().unwrap();
        // Rows of 8 bytes, 16 apart.
        let bytes: Vec<u8> = (0..32).collect();
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        gstreamer_video::VideoMeta::add_full(
            buffer.get_mut().unwrap(),
            gstreamer_video::VideoFrameFlags::empty(),
            gstreamer_video::VideoFormat::Rgba,
            2,
            2,
            &[0],
            &[16],
        )
        .unwrap();
        let caps = info.to_caps().unwrap();
        let sample = gst::Sample::builder().buffer(&buffer).caps(&caps).build();
        let picture = picture(&sample).unwrap();
        let expected: Vec<u8> = (0..8).chain(16..24).collect();
        assert_eq!((picture.width, picture.height, picture.rgba), (2, 2, expected));
    }
}
