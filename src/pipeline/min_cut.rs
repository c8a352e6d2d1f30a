//! Smallest cut of a graph between a source and a sink (Dinic 1970).

/// One edge as it is given: two nodes, and the capacity each way.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// The two nodes.
    pub nodes: [u32; 2],
    /// Capacity from the first to the second, and back.
    pub capacity: [u32; 2],
}

/// Nodes with capacities between them, from the source and to the sink.
pub struct FlowGraph {
    /// Where each node's edges begin in `head` and `capacity`; one more at the end.
    first: Vec<u32>,
    /// The node an edge leads to.
    head: Vec<u32>,
    /// The same edge the other way.
    twin: Vec<u32>,
    capacity: Vec<u32>,
    source: Vec<u32>,
    sink: Vec<u32>,
}

/// Level of a node that no flow reaches.
const FAR: u32 = u32::MAX;

impl FlowGraph {
    /// A graph whose nodes have these capacities from the source and to the sink.
    pub fn new(source: Vec<u32>, sink: Vec<u32>, edges: &[Edge]) -> Self {
        let mut first = vec![0u32; source.len() + 1];
        for edge in edges {
            edge.nodes.iter().for_each(|&node| first[node as usize + 1] += 1);
        }
        for node in 1..first.len() {
            first[node] += first[node - 1];
        }
        let mut free = first.clone();
        let mut head = vec![0; edges.len() * 2];
        let (mut twin, mut capacity) = (head.clone(), head.clone());
        for edge in edges {
            let [a, b] = edge.nodes.map(|node| node as usize);
            let (there, back) = (free[a] as usize, free[b] as usize + usize::from(a == b));
            (head[there], head[back]) = (b as u32, a as u32);
            (twin[there], twin[back]) = (back as u32, there as u32);
            [capacity[there], capacity[back]] = edge.capacity;
            free[a] += 1;
            free[b] += 1;
        }
        Self { first, head, twin, capacity, source, sink }
    }

    /// Which nodes lie on the sink's side of the smallest cut; of several, of the one with the fewest on the source's.
    pub fn cut(mut self) -> Vec<bool> {
        for (source, sink) in self.source.iter_mut().zip(&mut self.sink) {
            let direct = (*source).min(*sink);
            *source -= direct;
            *sink -= direct;
        }
        let mut level = vec![FAR; self.source.len()];
        let mut queue = Vec::with_capacity(level.len());
        let mut path = Vec::new();
        while self.find_levels(&mut level, &mut queue) {
            let mut next = self.first.clone();
            for start in 0..level.len() {
                while self.source[start] > 0 && self.augment(start, &level, &mut next, &mut path) {}
            }
        }
        level.iter().map(|&level| level == FAR).collect()
    }

    /// Writes how many edges with capacity left lie between the source and each node, or [`FAR`] where none lead there.
    /// Returns whether the sink can still be reached.
    fn find_levels(&self, level: &mut [u32], queue: &mut Vec<usize>) -> bool {
        level.fill(FAR);
        queue.clear();
        queue.extend((0..level.len()).filter(|&at| self.source[at] > 0));
        queue.iter().for_each(|&at| level[at] = 0);
        let (mut done, mut reached) = (0, false);
        while done < queue.len() {
            let at = queue[done];
            done += 1;
            reached |= self.sink[at] > 0;
            for edge in self.first[at] as usize..self.first[at + 1] as usize {
                let next = self.head[edge] as usize;
                if self.capacity[edge] > 0 && level[next] == FAR {
                    level[next] = level[at] + 1;
                    queue.push(next);
                }
            }
        }
        reached
    }

    /// Sends flow along one shortest path from this node to the sink. `next` is the edge that each node tries next.
    fn augment(&mut self, start: usize, level: &[u32], next: &mut [u32], path: &mut Vec<usize>) -> bool {
        let mut at = start;
        path.clear();
        loop {
            if self.sink[at] > 0 {
                self.send(start, at, path);
                return true;
            }
            let onward = (next[at]..self.first[at + 1]).find(|&edge| {
                let edge = edge as usize;
                self.capacity[edge] > 0 && level[self.head[edge] as usize] == level[at] + 1
            });
            if let Some(edge) = onward {
                next[at] = edge;
                path.push(edge as usize);
                at = self.head[edge as usize] as usize;
            } else {
                next[at] = self.first[at + 1];
                let Some(edge) = path.pop() else { return false };
                at = self.head[self.twin[edge] as usize] as usize;
                next[at] += 1;
            }
        }
    }

    /// Takes as much as fits through a path from the source to the sink.
    fn send(&mut self, start: usize, end: usize, path: &[usize]) {
        let ends = self.source[start].min(self.sink[end]);
        let flow = path.iter().fold(ends, |flow, &edge| flow.min(self.capacity[edge]));
        self.source[start] -= flow;
        self.sink[end] -= flow;
        for &edge in path {
            self.capacity[edge] -= flow;
            self.capacity[self.twin[edge] as usize] += flow;
        }
    }
}
