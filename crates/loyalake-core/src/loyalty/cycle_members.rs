//! Who lies on a cycle of a directed graph: rings of customers that invite each other.
//!
//! Source: Tarjan (1972), "Depth-first search and linear graph algorithms", SIAM Journal on
//! Computing 1(2).

/// Not visited yet.
const NEW: u32 = u32::MAX;
/// Its component is known.
const DONE: u32 = u32::MAX - 1;

/// Edges sorted by where they begin.
struct Successors {
    /// Where the edges of a node end in `to`; one more in front.
    ends: Vec<u32>,
    to: Vec<u32>,
}

impl Successors {
    fn new(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let mut ends = vec![0; nodes as usize + 1];
        for (from, _) in edges {
            ends[*from as usize] += 1;
        }
        // counts become starts, which move on to the ends as edges come in
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut to = vec![0; edges.len()];
        for (from, target) in edges {
            let next = &mut ends[*from as usize];
            to[*next as usize] = *target;
            *next += 1;
        }
        ends.rotate_right(1);
        ends[0] = 0;
        Self { ends, to }
    }

    fn first(&self, node: u32) -> u32 {
        self.ends[node as usize]
    }

    fn get(&self, node: u32, edge: u32) -> Option<u32> {
        (edge < self.ends[node as usize + 1]).then(|| self.to[edge as usize])
    }
}

/// For nodes 0 … `nodes` − 1, whether each lies on a directed cycle of `edges`; an edge from a node
/// to itself is a cycle.
///
/// # Shape and units
/// Time and memory grow with nodes and edges; the call stack does not. Below 2^32 − 2 nodes.
pub fn cycle_members(nodes: u32, edges: &[(u32, u32)]) -> Vec<bool> {
    let successors = Successors::new(nodes, edges);
    let mut is_member = vec![false; nodes as usize];
    for (from, to) in edges {
        is_member[*from as usize] |= from == to;
    }
    // the number of a node, then the lowest number that it reaches on the stack (Tarjan's lowlink)
    let mut lowest = vec![NEW; nodes as usize];
    let mut stack = Vec::new();
    let mut path: Vec<(u32, u32, u32)> = Vec::new();
    let mut visited = 0;
    for root in 0..nodes {
        if lowest[root as usize] != NEW {
            continue;
        }
        let mut entering = Some(root);
        loop {
            if let Some(node) = entering.take() {
                lowest[node as usize] = visited;
                path.push((node, visited, successors.first(node)));
                stack.push(node);
                visited += 1;
            }
            let Some((node, number, edge)) = path.last_mut() else {
                break;
            };
            let (node, number) = (*node, *number);
            if let Some(next) = successors.get(node, *edge) {
                *edge += 1;
                match lowest[next as usize] {
                    NEW => entering = Some(next),
                    DONE => {}
                    low => lower(&mut lowest, node, low),
                }
                continue;
            }
            path.pop();
            let low = lowest[node as usize];
            if low == number {
                close_component(node, &mut stack, &mut lowest, &mut is_member);
            } else if let Some((before, ..)) = path.last() {
                lower(&mut lowest, *before, low);
            }
        }
    }
    is_member
}

fn lower(lowest: &mut [u32], node: u32, to: u32) {
    let low = &mut lowest[node as usize];
    *low = (*low).min(to);
}

/// Takes a component, from `root` on, off the stack.
fn close_component(root: u32, stack: &mut Vec<u32>, lowest: &mut [u32], is_member: &mut [bool]) {
    let is_single = stack.last() == Some(&root);
    while let Some(node) = stack.pop() {
        lowest[node as usize] = DONE;
        is_member[node as usize] |= !is_single;
        if node == root {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(nodes: u32, edges: &[(u32, u32)]) -> Vec<u32> {
        let is_member = cycle_members(nodes, edges);
        (0..)
            .zip(is_member)
            .filter(|(_, is)| *is)
            .map(|(node, _)| node)
            .collect()
    }

    #[test]
    fn nodes_between_two_cycles_are_on_none() {
        let edges = [
            (0, 1),
            (1, 0),
            (1, 2),
            (2, 3),
            (3, 4),
            (4, 5),
            (5, 3),
            (6, 0),
            (5, 7),
        ];
        assert_eq!(members(8, &edges), [0, 1, 3, 4, 5]);
    }

    #[test]
    fn an_edge_to_itself_is_a_cycle_and_a_double_edge_is_not() {
        assert_eq!(members(3, &[(1, 1), (0, 2), (0, 2)]), [1]);
        assert_eq!(members(2, &[]), []);
        assert_eq!(members(0, &[]), []);
    }

    #[test]
    fn a_chain_of_a_million_needs_no_deep_stack() {
        let nodes = 1_000_000;
        let mut edges: Vec<_> = (1..nodes).map(|node| (node - 1, node)).collect();
        assert_eq!(members(nodes, &edges), []);
        edges.push((nodes - 1, 0));
        assert_eq!(members(nodes, &edges).len(), nodes as usize);
    }

    /// Which nodes reach themselves, by Warshall's closure.
    fn by_closure(nodes: usize, edges: &[(u32, u32)]) -> Vec<bool> {
        let mut reaches = vec![vec![false; nodes]; nodes];
        for (from, to) in edges {
            reaches[*from as usize][*to as usize] = true;
        }
        for via in 0..nodes {
            let beyond = reaches[via].clone();
            for row in reaches.iter_mut().filter(|row| row[via]) {
                for (reached, more) in row.iter_mut().zip(&beyond) {
                    *reached |= more;
                }
            }
        }
        (0..nodes).map(|node| reaches[node][node]).collect()
    }

    proptest! {
        #[test]
        fn members_are_the_nodes_that_reach_themselves(
            edges in prop::collection::vec((0..12_u32, 0..12_u32), 0..24),
        ) {
            prop_assert_eq!(cycle_members(12, &edges), by_closure(12, &edges));
        }
    }
}
