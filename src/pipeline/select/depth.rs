//! How deep inside or outside a mask each pixel lies.

/// How far each pixel lies inside, in pixels; negative outside. Steps along the axes count 1, diagonal ones 1.4 (Borgefors
/// 1986, chamfer distance).
pub fn depths(inside: &[bool], width: usize) -> Vec<f32> {
    const DIAGONAL: f32 = std::f32::consts::SQRT_2;
    let height = inside.len() / width;
    let mut distance = vec![(width + height) as f32; inside.len()];
    // Once from the top left, then from the bottom right: each pixel looks at the four neighbours that come before it.
    for (back, steps) in [(false, [(-1, 0), (0, -1), (-1, -1), (1, -1)]), (true, [(1, 0), (0, 1), (1, 1), (-1, 1)])] {
        for step in 0..inside.len() {
            let at = if back { inside.len() - 1 - step } else { step };
            for (dx, dy) in steps {
                let (Some(x), Some(y)) = ((at % width).checked_add_signed(dx), (at / width).checked_add_signed(dy))
                else {
                    continue;
                };
                if x < width && y < height {
                    let (other, length) = (y * width + x, if dx != 0 && dy != 0 { DIAGONAL } else { 1.0 });
                    let through = if inside[at] != inside[other] { length * 0.5 } else { distance[other] + length };
                    distance[at] = distance[at].min(through);
                }
            }
        }
    }
    inside.iter().zip(distance).map(|(&inside, distance)| if inside { distance } else { -distance }).collect()
}
