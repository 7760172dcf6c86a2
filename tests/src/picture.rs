//! A screenshot and the words in it.

use crate::display::pipe;

/// A screenshot.
#[derive(Debug, Clone)]
pub struct Picture {
    /// As PNG.
    pub png: Vec<u8>,
    /// Pixels a point.
    pub scale: u32,
}

/// A word in a picture, and where it is, in points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As read; letters that look alike may be mixed up.
    pub text: String,
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Word {
    /// The middle of it.
    pub fn middle(&self) -> (u32, u32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }
}

impl Picture {
    /// All words in it, from the top.
    pub fn words(&self) -> Vec<Word> {
        // Letters of two pixels a point are read as they are, smaller ones only enlarged.
        let enlarged = if self.scale == 1 { 3 } else { 1 };
        let size = format!("{}%", enlarged * 100);
        let prepare = ["png:-", "-colorspace", "Gray", "-resize", &size, "-normalize", "pnm:-"];
        let prepared = pipe("convert", &prepare, &self.png);
        // 11: text here and there, in no order, as on a panel.
        let table = pipe("tesseract", &["stdin", "stdout", "--psm", "11", "tsv"], &prepared);
        words_of(&String::from_utf8_lossy(&table), enlarged * self.scale)
    }

    /// All text in it, a line a word.
    pub fn text(&self) -> String {
        self.words().into_iter().map(|word| word.text + "\n").collect()
    }

    /// Width, height and 8-bit samples, three or four a pixel.
    pub fn pixels(&self) -> (u32, u32, Vec<u8>) {
        pixels(&self.png)
    }
}

/// Width, height and samples of a PNG.
///
/// # Panics
/// If it is no PNG.
pub fn pixels(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(png));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut samples = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut samples).expect("a whole PNG");
    samples.truncate(info.buffer_size());
    (info.width, info.height, samples)
}

/// The words of Tesseract's table, which counts `scale` to a point.
fn words_of(table: &str, scale: u32) -> Vec<Word> {
    let mut words: Vec<_> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            let number = |at: usize| columns.get(at)?.parse::<u32>().ok().map(|n| n / scale);
            let text = columns.get(11)?.trim();
            (!text.is_empty()).then_some(())?;
            let text = text.to_owned();
            let (x, y, width, height) = (number(6)?, number(7)?, number(8)?, number(9)?);
            Some(Word { text, x, y, width, height })
        })
        .collect();
    words.sort_by_key(|word| (word.y, word.x));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_its_place_in_points() {
        let table = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
            4\t1\t1\t1\t1\t0\t30\t60\t90\t30\t-1\t\n\
            5\t1\t1\t1\t1\t1\t30\t60\t90\t30\t96.5\t7.125\n";
        let words = words_of(table, 3);
        assert_eq!(words.len(), 1);
        assert_eq!(words[0].text, "7.125");
        assert_eq!(words[0].middle(), (25, 25));
    }
}
