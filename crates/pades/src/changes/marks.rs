//! What a field draws besides its text, and whether that is a frame: a background, a border, the dividers of a comb.
//!
//! Letters and strikes can be made of lines and boxes, so none may stand where text stands. What is painted is followed
//! in the page's own coordinates (ISO 32000-2, 12.5.5: the appearance's box is laid on the widget's `/Rect`), and is
//! part of the frame in these places alone:
//!
//! ```text
//! ┌───────┬───────┬───────┐   within the border's width and a point of an edge: any straight path
//! │   ┆   ┆       ┆       │   over all of the box, and before any text: a background
//! └───────┴───────┴───────┘   from edge to edge between the cells of a comb (12.7.5.3): dividers
//! ```
//!
//! Anything else must have been there before, in the same place and colour. Clipping is not followed: what is clipped
//! away counts as painted.

mod frame;
mod matrix;

pub(super) use frame::Frame;

use matrix::{Matrix, Point, Segment};

use crate::pdf::{Dict, Object, PdfError, Rect, View};

/// Most painted paths of a frame.
const PATHS: usize = 64;
/// Most other shapes that are kept for comparison.
const SHAPES: usize = 512;
/// Deepest nesting of saved graphics states; no frame needs many.
const STATES: usize = 64;
/// Most bytes of memory that the operands of a colour take.
const COLOUR: usize = 4096;
/// Everything painted that is no text.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Marks {
    /// Painted paths, whatever they are.
    paths: usize,
    /// Painted images and shadings.
    pictures: usize,
    /// Painted paths that are no part of the frame.
    strays: Vec<Shape>,
    /// There were more of them than are kept, or the graphics state could not be followed.
    countless: bool,
}

/// A painted path that is no part of the frame.
#[derive(Debug, Clone, PartialEq)]
struct Shape {
    /// In tenths of points.
    points: Vec<Vec<Point>>,
    /// Operator, line width, and colours.
    how: String,
    /// Whether text was drawn before it.
    over_text: bool,
}

impl Marks {
    /// Whether nothing is painted.
    pub(super) fn is_blank(&self) -> bool {
        self.paths == 0 && self.pictures == 0
    }

    /// Whether it is no more than a frame, and what was there `before`.
    pub(super) fn is_frame(&self, before: &Self) -> bool {
        !self.countless
            && self.paths <= before.paths.max(PATHS)
            && self.pictures <= before.pictures
            && self.strays.iter().all(|stray| before.strays.contains(stray))
    }

    /// An image, or what a shading fills.
    pub(super) fn picture(&mut self) {
        self.pictures += 1;
    }
}

/// What `q` saves of the graphics state.
#[derive(Debug, Clone)]
struct State {
    matrix: Matrix,
    width: f64,
    fill: String,
    stroke: String,
}

/// What is drawn on, while its operators are followed.
#[derive(Debug)]
pub(super) struct Canvas<'f> {
    frame: &'f Frame,
    state: State,
    saved: Vec<State>,
    /// The parts of the path that is under way.
    path: Vec<Vec<Point>>,
    /// Whether it has curves.
    curved: bool,
    /// Whether text was drawn.
    text: bool,
    /// What was painted.
    pub(super) marks: Marks,
}

impl<'f> Canvas<'f> {
    /// An empty widget with an appearance of this dictionary.
    ///
    /// # Errors
    /// What reading its entries gives.
    pub(super) fn new(view: &View<'_, '_>, frame: &'f Frame, appearance: &Dict) -> Result<Self, PdfError> {
        let matrix = Matrix::from_numbers(&view.array(appearance, "Matrix")?);
        let bbox = Rect::from_object(&view.value(appearance, "BBox")?);
        let state =
            State { matrix: frame.lay(bbox, matrix), width: 1.0, fill: String::new(), stroke: String::new() };
        let (saved, path, marks) = Default::default();
        Ok(Self { frame, state, saved, path, curved: false, text: false, marks })
    }

    /// Goes into a form `XObject` and, with [`Canvas::leave`], out of it again.
    pub(super) fn enter(&mut self, matrix: &[Object]) -> Inside {
        let outside = (self.state.clone(), std::mem::take(&mut self.saved));
        self.state.matrix = Matrix::from_numbers(matrix).then(self.state.matrix);
        Inside(outside)
    }

    /// See [`Canvas::enter`].
    pub(super) fn leave(&mut self, Inside((state, saved)): Inside) {
        self.state = state;
        self.saved = saved;
    }

    /// Text was drawn: what covers it now hides it.
    pub(super) fn text(&mut self) {
        self.text = true;
    }

    /// The line width of a dictionary of graphics state (`gs`).
    pub(super) fn line_width(&mut self, width: f64) {
        self.state.width = width;
    }

    /// Takes an operator of graphics state, paths or shadings.
    pub(super) fn take(&mut self, operator: &[u8], operands: &[Object]) {
        let numbers: Vec<f64> = operands.iter().filter_map(Object::as_number).collect();
        match (operator, numbers.as_slice()) {
            (b"q", _) if self.saved.len() < STATES => self.saved.push(self.state.clone()),
            // Whatever `Q` restores from now on is not what a viewer restores.
            (b"q", _) => self.marks.countless = true,
            (b"Q", _) => self.state = self.saved.pop().unwrap_or_else(|| self.state.clone()),
            (b"cm", _) => self.state.matrix = Matrix::from_numbers(operands).then(self.state.matrix),
            (b"w", [width]) => self.state.width = *width,
            (b"g" | b"rg" | b"k" | b"cs" | b"sc" | b"scn", _) => self.state.fill = self.colour(operands),
            (b"G" | b"RG" | b"K" | b"CS" | b"SC" | b"SCN", _) => self.state.stroke = self.colour(operands),
            (b"m", [x, y]) => self.path.push(vec![self.state.matrix.of((*x, *y))]),
            (b"l", [x, y]) => self.line_to((*x, *y)),
            (b"c", [x1, y1, x2, y2, x, y]) => self.curve_to(&[(*x1, *y1), (*x2, *y2), (*x, *y)]),
            (b"v" | b"y", [x1, y1, x, y]) => self.curve_to(&[(*x1, *y1), (*x, *y)]),
            (b"h", _) => self.close(),
            (b"re", [x, y, width, height]) => {
                let corners =
                    [(*x, *y), (x + width, *y), (x + width, y + height), (*x, y + height), (*x, *y)];
                self.path.push(corners.map(|corner| self.state.matrix.of(corner)).to_vec());
            }
            (b"S", _) => self.paint(operator, false, true),
            (b"s", _) => {
                self.close();
                self.paint(operator, false, true);
            }
            (b"f" | b"F" | b"f*", _) => self.paint(operator, true, false),
            (b"B" | b"B*", _) => self.paint(operator, true, true),
            (b"b" | b"b*", _) => {
                self.close();
                self.paint(operator, true, true);
            }
            (b"n", _) => self.forget(),
            (b"sh", _) => self.marks.picture(),
            _ => {}
        }
    }

    fn colour(&mut self, operands: &[Object]) -> String {
        if operands.iter().map(Object::size).sum::<usize>() > COLOUR {
            self.marks.countless = true;
            return String::new();
        }
        format!("{operands:?}")
    }

    fn line_to(&mut self, to: Point) {
        let to = self.state.matrix.of(to);
        match self.path.last_mut() {
            Some(part) => part.push(to),
            None => self.path.push(vec![to]),
        }
    }

    fn curve_to(&mut self, points: &[Point]) {
        self.curved = true;
        for point in points {
            self.line_to(*point);
        }
    }

    fn close(&mut self) {
        if let Some(part) = self.path.last_mut()
            && let Some(first) = part.first().copied()
        {
            part.push(first);
        }
    }

    fn forget(&mut self) {
        self.path.clear();
        self.curved = false;
    }

    fn paint(&mut self, operator: &[u8], filled: bool, stroked: bool) {
        let path = std::mem::take(&mut self.path);
        let curved = std::mem::take(&mut self.curved);
        if path.iter().all(|part| part.len() < 2) {
            return;
        }
        self.marks.paths += 1;
        let half = self.state.width * self.state.matrix.scale() / 2.0;
        let sides = || path.iter().flat_map(|part| part.windows(2)).filter_map(segment);
        let closing =
            path.iter().filter_map(|part| part.first().zip(part.last()).map(|(first, last)| (*last, *first)));
        let lines = !stroked || (!curved && sides().all(|side| self.frame.is_line(side, half)));
        let bordering = || sides().chain(closing).all(|side| self.frame.is_border(side, 0.0));
        let fill = || {
            let bar = !curved && !self.text && self.frame.is_bar(&path);
            bar || (!curved && bordering() && (!self.text || !covers(&path, self.frame.middle(), operator)))
        };
        if lines && (!filled || fill()) {
            return;
        }
        if self.marks.strays.len() >= SHAPES {
            self.marks.countless = true;
            return;
        }
        let tenths = |value: f64| (value * 10.0).round();
        let how = format!(
            "{} {} {} {}",
            String::from_utf8_lossy(operator),
            if stroked { tenths(half) } else { 0.0 },
            if filled { &self.state.fill } else { "" },
            if stroked { &self.state.stroke } else { "" },
        );
        let points = path.iter().map(|part| part.iter().map(|(x, y)| (tenths(*x), tenths(*y))).collect());
        let shape = Shape { points: points.collect(), how, over_text: self.text };
        self.marks.strays.push(shape);
    }
}

/// What was outside of a form.
pub(super) struct Inside((State, Vec<State>));

fn segment(pair: &[Point]) -> Option<Segment> {
    let [from, to] = pair else { return None };
    Some((*from, *to))
}

/// Whether a filled path covers a point, by the rule of its operator (8.5.3.3).
fn covers(path: &[Vec<Point>], (x, y): Point, operator: &[u8]) -> bool {
    let mut winding = 0_i32;
    for part in path {
        let closed = part.iter().chain(part.first()).copied().collect::<Vec<_>>();
        for (a, b) in closed.windows(2).filter_map(segment) {
            if (a.1 <= y) == (b.1 <= y) {
                continue;
            }
            let at = a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0);
            if at > x {
                winding += if b.1 > a.1 { 1 } else { -1 };
            }
        }
    }
    if operator.ends_with(b"*") { winding % 2 != 0 } else { winding != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::{Item, Lexer};

    /// A field of 100 × 20 points at (50, 700).
    fn frame() -> Frame {
        let area = Rect::of(50.0, 700.0, 100.0, 20.0);
        Frame { area, zone: 2.0, cells: None, sideways: false, list: false }
    }

    /// What such a field paints with this content; `Tj` draws text.
    fn marks(frame: &Frame, matrix: Matrix, bbox: Rect, content: &str) -> Marks {
        let state = State {
            matrix: frame.lay(Some(bbox), matrix),
            width: 1.0,
            fill: String::new(),
            stroke: String::new(),
        };
        let (saved, path, marks) = Default::default();
        let mut canvas = Canvas { frame, state, saved, path, curved: false, text: false, marks };
        let content = format!("{content}\n");
        let mut lexer = Lexer::new(content.as_bytes(), 0, 16);
        let mut operands = Vec::new();
        while let Ok(item) = lexer.item() {
            match item {
                Item::Object(object) => operands.push(object),
                Item::Keyword(keyword) if keyword == b"Tj" => canvas.text(),
                Item::Keyword(keyword) => {
                    canvas.take(&keyword, &operands);
                    operands.clear();
                }
            }
        }
        canvas.marks
    }

    fn is_frame(frame: &Frame, content: &str) -> bool {
        let unit = Matrix::UNIT;
        marks(frame, unit, Rect::of(0.0, 0.0, 100.0, 20.0), content).is_frame(&Marks::default())
    }

    #[test]
    fn a_frame_is_at_the_edges() {
        for content in [
            "0.5 0.5 99 19 re S",
            "1 g 0 0 100 20 re f 0 G 0.5 0.5 99 19 re s",
            "0 0 m 100 0 l S",
            // The halves of a raised border of one point.
            "1 1 m 1 19 l 99 19 l 98 18 l 2 18 l 2 2 l f 99 19 m 99 1 l 1 1 l 2 2 l 98 2 l 98 18 l f",
            // A ring, filled by the even-odd rule, over the text.
            "(x) Tj 0 0 100 20 re 1 1 98 18 re f*",
            "(x) Tj 0 0 1 20 re f",
            // Clipping paints nothing.
            "2 2 50 10 re W n (x) Tj",
            "0.1 0 0 0.1 0 0 cm 10 w 5 5 990 190 re S",
        ] {
            assert!(is_frame(&frame(), content), "{content}");
        }
    }

    #[test]
    fn what_stands_where_text_stands_is_no_frame() {
        for content in [
            "(x) Tj 0 10 m 100 10 l S",
            "10 4 m 10 16 l S",
            "10 4 1 12 re f",
            "10 4 1 12 re S",
            "(x) Tj 0 0 100 20 re f",
            "(x) Tj 0 0 m 100 0 l 100 20 l 0 20 l f",
            "(x) Tj 0 0 40 20 re f",
            "0 0 40 20 re f",
            // A line at the edge, as wide as the box.
            "40 w 0 0 m 100 0 l S",
            "20 0 0 20 0 0 cm 1 w 0 0 m 5 0 l S",
            // Acute corners reach far.
            "0.5 w 10 20 m 10.1 18.5 l 10.2 20 l S",
            "10 4 m 10 4 10 16 10 16 c S",
            // No comb.
            "25 0 m 25 20 l S",
        ] {
            assert!(!is_frame(&frame(), content), "{content}");
        }
    }

    #[test]
    fn states_saved_without_end_are_no_frame() {
        let nested = |depth: usize| {
            // The strike is drawn at the edge by whoever forgets a state, and over the text by viewers.
            let (save, restore) = ("q ".repeat(depth), "Q ".repeat(depth));
            format!("{save}(x) Tj q 1 0 0 1 0 10 cm {restore}Q 0 0 m 100 0 l S")
        };
        assert!(is_frame(&frame(), &nested(63)));
        assert!(!is_frame(&frame(), &nested(64)));
    }

    #[test]
    fn a_comb_has_dividers_between_its_cells() {
        let comb = Frame { cells: Some(4), ..frame() };
        assert!(is_frame(&comb, "25 0 m 25 20 l 50 1 m 50 19 l 75 0 m 75 20 l S"));
        for content in [
            "30 0 m 30 20 l S",
            "25 0 m 25 12 l S",
            "25 0 m 50 20 l S",
            "0 10 m 100 10 l S",
            "12 w 25 0 m 25 20 l S",
        ] {
            assert!(!is_frame(&comb, content), "{content}");
        }
        let turned = Frame { sideways: true, ..comb };
        assert!(is_frame(&turned, "0 5 m 100 5 l S") && !is_frame(&turned, "25 0 m 25 20 l S"));
    }

    #[test]
    fn a_list_has_a_bar_behind_what_is_chosen() {
        let list = Frame { list: true, ..frame() };
        assert!(is_frame(&list, "1 5 98 12 re f (x) Tj"));
        assert!(!is_frame(&list, "(x) Tj 1 5 98 12 re f") && !is_frame(&list, "1 9 98 1 re f (x) Tj"));
        assert!(!is_frame(&list, "1 5 50 12 re f (x) Tj") && !is_frame(&frame(), "1 5 98 12 re f (x) Tj"));
    }

    #[test]
    fn edges_are_those_on_the_page() {
        // The box is drawn in another size, and turned.
        let unit = Matrix::UNIT;
        let small = Rect::of(0.0, 0.0, 10.0, 2.0);
        let none = Marks::default();
        assert!(marks(&frame(), unit, small, "0.1 w 0.05 0.05 9.9 1.9 re S").is_frame(&none));
        assert!(!marks(&frame(), unit, small, "0.1 w 0 1 m 10 1 l S").is_frame(&none));
        let turn = Matrix([0.0, 1.0, -1.0, 0.0, 0.0, 0.0]);
        let tall = Rect::of(0.0, 0.0, 20.0, 100.0);
        assert!(marks(&frame(), turn, tall, "0.5 0.5 19 99 re S").is_frame(&none));
        assert!(!marks(&frame(), turn, tall, "10 0 m 10 100 l S").is_frame(&none));
    }

    #[test]
    fn what_was_there_may_stay_as_it_was() {
        let unit = Matrix::UNIT;
        let of = |content: &str| marks(&frame(), unit, Rect::of(0.0, 0.0, 100.0, 20.0), content);
        let before = of("0 G 10 10 m 90 10 l S 1 G 10 15 m 90 15 l S");
        assert!(of("0 G 10 10 m 90 10 l S (x) Tj").is_frame(&before));
        for content in [
            "0 G 10 11 m 90 11 l S (x) Tj",
            "(x) Tj 0 G 10 10 m 90 10 l S",
            // In white before.
            "0 G 10 15 m 90 15 l S (x) Tj",
            "0 G 3 w 10 10 m 90 10 l S (x) Tj",
        ] {
            assert!(!of(content).is_frame(&before), "{content}");
        }
    }
}
