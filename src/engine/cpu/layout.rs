//! Where values live: NHWC with a border as wide as their readers reach, in one arena whose places are used again.

use std::ops::Range;

use super::plan::{Plan, Step};
use super::view::{Extent, View};
use crate::engine::too_large;
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::network::{PaddingMode, Shape, Shapes, ValueId};
use crate::ordering;

/// Most values of an arena.
const MAX_VALUES: usize = (limits::RUN_BYTES / 4) as usize;

/// All values' places for inputs of given shapes.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Shapes of the inputs it is for.
    pub inputs: Vec<Shape>,
    /// Threads that there is scratch for.
    pub threads: usize,
    /// Shapes as the description has them, by value.
    pub shapes: Vec<Shape>,
    /// By value.
    pub views: Vec<View>,
    /// Values of the arena.
    pub size: usize,
    /// By step: a place that its transforms may use meanwhile.
    pub scratch: Vec<Range<usize>>,
    /// Index of the last step that reads each value.
    pub last_use: Vec<usize>,
}

impl Layout {
    /// Lays out a plan for so many threads; `input-shape` errors name the layer.
    pub fn new(plan: &Plan, inputs: &[Shape], threads: usize) -> Result<Self> {
        let shapes = plan.network.shapes(inputs)?;
        let mut views: Vec<View> = plan
            .values
            .iter()
            .map(|value| View {
                start: 0,
                shape: shapes[value.of].into(),
                border: [0; 4],
                mode: value.mode.unwrap_or(PaddingMode::Zeros),
            })
            .collect();
        let mut last_use: Vec<usize> = vec![0; views.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            for value in step.reads() {
                last_use[value] = index;
            }
            changes_its_shape(plan, step, &shapes)?;
            if let (Some(geometry), Some(&from)) = (step.kernel.geometry(), step.inputs.first()) {
                let side = |view: &View| (view.shape.height, view.shape.width);
                let need = geometry.border(side(&views[from]), side(&views[step.output()]));
                for (border, need) in views[from].border.iter_mut().zip(need) {
                    *border = (*border).max(need);
                }
            }
        }
        // A map lies as what it is added to does, so that one index finds both.
        for step in &plan.steps {
            if let Some(map) = step.epilogue.map {
                let border = views[step.output()].border;
                views[map] = View { shape: map_of(views[step.output()].shape), border, ..views[map].clone() };
            }
        }
        last_use[plan.output] = usize::MAX;
        if let Some(view) = views.iter().find(|view| view.checked_len().is_none_or(|length| length > MAX_VALUES)) {
            return Err(too_large(view.checked_len().map(|length| length as u64 * 4)));
        }
        let scratch = vec![0..0; plan.steps.len()];
        let shapes = plan.values.iter().map(|value| shapes[value.of]).collect();
        let mut layout = Self { inputs: inputs.to_vec(), threads, shapes, views, size: 0, scratch, last_use };
        layout.assign(plan)?;
        Ok(layout)
    }

    /// Gives every value, and every step's scratch, a place that nothing else holds meanwhile: the largest first, each as
    /// far in front as it can (Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net Inference").
    fn assign(&mut self, plan: &Plan) -> Result<()> {
        let mut born = vec![usize::MAX; self.views.len()];
        let mut tenants = Vec::new();
        for (index, step) in plan.steps.iter().enumerate() {
            for &output in &step.outputs {
                born[output] = born[output].min(index);
            }
            let scratch = step.kernel.scratch(&self.views[step.output()], self.threads);
            if scratch > 0 {
                tenants.push((scratch, index, index, None));
            }
        }
        for (value, view) in self.views.iter().enumerate() {
            tenants.push((view.len(), born[value], self.last_use[value].max(born[value]), Some(value)));
        }
        ordering::sort_by_key(&mut tenants, |&(size, from, ..)| (std::cmp::Reverse(size), from));
        // Placed tenants by their start.
        let mut placed: Vec<(Range<usize>, usize, usize)> = Vec::new();
        for (size, from, to, value) in tenants {
            let mut start = 0;
            for (place, first, last) in &placed {
                if from <= *last && *first <= to {
                    if start + size <= place.start {
                        break;
                    }
                    start = start.max(place.end);
                }
            }
            // Checked at every step, so that no sum can wrap around where a usize has 32 bits.
            if start > MAX_VALUES || size > MAX_VALUES {
                return Err(too_large(Some((start as u64 + size as u64) * 4)));
            }
            let at = placed.partition_point(|(place, ..)| place.start <= start);
            placed.insert(at, (start..start + size, from, to));
            self.size = self.size.max(start + size);
            match value {
                Some(value) => self.views[value].start = start,
                None => self.scratch[from] = start..start + size,
            }
        }
        Ok(())
    }

    /// Bytes of the arena.
    pub fn bytes(&self) -> u64 {
        self.size as u64 * 4
    }
}

/// One channel of these sides.
fn map_of(shape: Extent) -> Extent {
    Extent { channels: 1, ..shape }
}

/// Refuses a network whose sums were fused at the usual size, and that repeats one of their operands at this one.
fn changes_its_shape(plan: &Plan, step: &Step, shapes: &Shapes) -> Result<()> {
    let of = |value: usize| shapes[plan.values[value].of];
    let fused = step.nodes.last().map(|&node| shapes[ValueId::first(node)]);
    let result = of(step.output());
    let first = step.nodes.first().map(|&node| shapes[ValueId::first(node)]);
    let added = !step.epilogue.accumulate || first == Some(result);
    let same =
        added && fused.is_none_or(|shape| shape == result) && step.epilogue.plus.is_none_or(|plus| of(plus) == result);
    let map = step.epilogue.map.map(of);
    let pixels = result.height() as u64 * result.width() as u64;
    if same && map.is_none_or(|map| map.elements() == pixels) {
        return Ok(());
    }
    let path = step.nodes.first().map_or("", |&node| plan.network.nodes[node].path.as_str());
    let text = format!("{path}: at this size a sum after it repeats one of its operands. Choose another size.");
    Err(Error::new(Code::InputShape, text))
}

/// Parts of the arena that do not overlap, each to be used by itself.
pub fn split<'a>(arena: &'a mut [f32], places: &[Range<usize>]) -> Vec<&'a mut [f32]> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    ordering::sort_by_key(&mut order, |&index| places[index].start);
    let mut parts: Vec<(usize, &'a mut [f32])> = Vec::with_capacity(places.len());
    let (mut rest, mut passed) = (arena, 0);
    for index in order {
        let place = &places[index];
        if place.is_empty() {
            parts.push((index, Default::default()));
            continue;
        }
        let (_, from) = std::mem::take(&mut rest).split_at_mut(place.start - passed);
        let (part, after) = from.split_at_mut(place.len());
        (rest, passed) = (after, place.end);
        parts.push((index, part));
    }
    ordering::sort_by_key(&mut parts, |(index, _)| *index);
    parts.into_iter().map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::WeightSource;
    use crate::models::by_id;
    use crate::network::Network;

    struct Zeros<'a>(&'a Network);
    impl WeightSource for Zeros<'_> {
        fn take(&mut self, key: &str) -> Result<Vec<f32>> {
            let parameter = self.0.parameters().into_iter().find(|p| p.key == key);
            Ok(vec![0.0; parameter.map_or(0, |p| p.shape.iter().product())])
        }
    }

    #[test]
    fn memory_stays_near_the_largest_live_set_and_near_the_file() {
        for (id, side, growth) in [
            ("context-encoder", 512, 1.5),
            ("edgeconnect-inpaint", 256, 4.1),
            ("edgeconnect-edge", 256, 4.1),
            ("image-pair", 256, 4.1),
            ("default", 256, 4.1),
        ] {
            let model = by_id(id).unwrap();
            let network = model.network(&model.published());
            let inputs = network.square_inputs(side);
            let plan = Plan::new(&network, &mut Zeros(&network)).unwrap();
            let live = network.live_bytes(&network.costs(&inputs).unwrap());
            for threads in [1, 2, 4, 8] {
                let bytes = Layout::new(&plan, &inputs, threads).unwrap().bytes();
                println!("{id}, {threads} threads: {bytes} bytes for a live set of {live}");
                assert!(bytes as f64 <= 1.25 * live as f64, "{id}, {threads} threads: {bytes} bytes for {live}");
            }
            let (packed, plain) = (plan.weight_bytes(), network.parameter_count() * 4);
            println!("{id}: weights {packed} of {plain}");
            assert!(packed as f64 <= growth * plain as f64, "{id}: weights grow from {plain} to {packed}");
        }
    }
}
