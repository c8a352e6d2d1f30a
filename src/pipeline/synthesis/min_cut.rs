//! Smallest cut of a grid graph (Dinic 1970): for the label of every pixel, kept or changed.

/// Capacities of a grid; neighbours are right, left, below, above.
pub struct GridGraph {
    width: usize,
    count: usize,
    /// From each node to its neighbours; an edge over the grid's border must have no capacity.
    pub to: [Vec<u32>; 4],
    /// From the source to each node, and from each node to the sink.
    pub source: Vec<u32>,
    pub sink: Vec<u32>,
}

/// Level of a node that no flow reaches.
const FAR: u32 = u32::MAX;

impl GridGraph {
    pub fn new(width: usize, height: usize) -> Self {
        let count = width * height;
        Self { width, count, to: std::array::from_fn(|_| vec![0; count]), source: vec![0; count], sink: vec![0; count] }
    }

    fn neighbour(&self, at: usize, side: usize) -> usize {
        match side {
            0 => at + 1,
            1 => at.wrapping_sub(1),
            2 => at + self.width,
            _ => at.wrapping_sub(self.width),
        }
    }

    /// Which nodes lie on the sink's side of the smallest cut.
    pub fn cut(mut self) -> Vec<bool> {
        for at in 0..self.count {
            let direct = self.source[at].min(self.sink[at]);
            self.source[at] -= direct;
            self.sink[at] -= direct;
        }
        let mut level = vec![FAR; self.count];
        let mut queue = Vec::with_capacity(self.count);
        while self.find_levels(&mut level, &mut queue) {
            let mut side = vec![0u8; self.count];
            for start in 0..self.count {
                while self.source[start] > 0 && self.augment(start, &level, &mut side) {}
            }
        }
        level.iter().map(|&level| level == FAR).collect()
    }

    /// Writes how many edges with capacity left lie between the source and each node, or [`FAR`] where none lead there.
    /// Returns whether the sink can still be reached.
    fn find_levels(&self, level: &mut [u32], queue: &mut Vec<usize>) -> bool {
        level.fill(FAR);
        queue.clear();
        queue.extend((0..self.count).filter(|&at| self.source[at] > 0));
        queue.iter().for_each(|&at| level[at] = 0);
        let (mut head, mut reached) = (0, false);
        while head < queue.len() {
            let at = queue[head];
            head += 1;
            reached |= self.sink[at] > 0;
            for side in 0..4 {
                if self.to[side][at] > 0 {
                    let next = self.neighbour(at, side);
                    if level[next] == FAR {
                        level[next] = level[at] + 1;
                        queue.push(next);
                    }
                }
            }
        }
        reached
    }

    /// Sends flow along one shortest path from this node to the sink.
    fn augment(&mut self, start: usize, level: &[u32], side: &mut [u8]) -> bool {
        let mut path = vec![start];
        while let Some(&at) = path.last() {
            if self.sink[at] > 0 {
                let mut flow = self.source[start].min(self.sink[at]);
                for &node in &path[..path.len() - 1] {
                    flow = flow.min(self.to[side[node] as usize][node]);
                }
                self.source[start] -= flow;
                self.sink[at] -= flow;
                for i in 0..path.len() - 1 {
                    let s = side[path[i]] as usize;
                    self.to[s][path[i]] -= flow;
                    self.to[s ^ 1][path[i + 1]] += flow;
                }
                return true;
            }
            let mut advanced = false;
            while side[at] < 4 {
                let s = side[at] as usize;
                if self.to[s][at] > 0 {
                    let next = self.neighbour(at, s);
                    if level[next] == level[at] + 1 {
                        path.push(next);
                        advanced = true;
                        break;
                    }
                }
                side[at] += 1;
            }
            if !advanced {
                path.pop();
                if let Some(&before) = path.last() {
                    side[before] += 1;
                }
            }
        }
        false
    }
}
