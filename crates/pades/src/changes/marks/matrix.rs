//! Points of a page and transformations of them (ISO 32000-2, 8.3.3).

use crate::pdf::Object;

/// Across and up, in points.
pub(super) type Point = (f64, f64);
/// From here to there.
pub(super) type Segment = (Point, Point);

/// A transformation (8.3.3).
#[derive(Debug, Clone, Copy)]
pub(in crate::changes) struct Matrix(pub(super) [f64; 6]);

impl Matrix {
    pub(super) const UNIT: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// Six numbers; anything else changes nothing.
    pub(super) fn from_numbers(numbers: &[Object]) -> Self {
        let numbers: Vec<f64> = numbers.iter().filter_map(Object::as_number).collect();
        numbers.try_into().map_or(Self::UNIT, Self)
    }

    /// This one first, then the other.
    pub(super) fn then(self, other: Self) -> Self {
        let Self([x_to_x, x_to_y, y_to_x, y_to_y, right, up]) = self;
        let straight = |x: f64, y: f64| {
            let (moved, origin) = (other.of((x, y)), other.of((0.0, 0.0)));
            (moved.0 - origin.0, moved.1 - origin.1)
        };
        let (across, upward, origin) =
            (straight(x_to_x, x_to_y), straight(y_to_x, y_to_y), other.of((right, up)));
        Self([across.0, across.1, upward.0, upward.1, origin.0, origin.1])
    }

    pub(super) fn of(self, point: Point) -> Point {
        let Self([x_to_x, x_to_y, y_to_x, y_to_y, right, up]) = self;
        (x_to_x * point.0 + y_to_x * point.1 + right, x_to_y * point.0 + y_to_y * point.1 + up)
    }

    /// By how much it enlarges at most.
    pub(super) fn scale(self) -> f64 {
        let Self([x_to_x, x_to_y, y_to_x, y_to_y, ..]) = self;
        x_to_x.hypot(x_to_y).max(y_to_x.hypot(y_to_y))
    }
}
