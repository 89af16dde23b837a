//! Nodes or vertices that streets join with one another, in whichever direction.

/// Sets of numbers that grow together (union by the lower number, path halving).
#[derive(Debug)]
pub(super) struct Joined(Vec<u32>);

impl Joined {
    pub fn new(n: usize) -> Self {
        Self((0..n as u32).collect())
    }

    /// The lowest number joined with this one.
    pub fn of(&mut self, mut number: u32) -> u32 {
        while self.0[number as usize] != number {
            let above = self.0[self.0[number as usize] as usize];
            self.0[number as usize] = above;
            number = above;
        }
        number
    }

    pub fn join(&mut self, ends: [u32; 2]) {
        let [a, b] = ends.map(|end| self.of(end));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
