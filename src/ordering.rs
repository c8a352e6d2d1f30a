//! Sorting of lists whose speed does not matter. The standard library's sort is compiled anew for every kind of element,
//! each time into several kilobytes of wasm; here elements are ordered by their index, which is compiled once.

use std::cmp::Ordering;

/// Sorts stably, as `slice::sort_by` does.
pub fn sort_by<T>(list: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(list.len(), &|a, b| compare(&list[a], &list[b]));
    let mut items: Vec<Option<T>> = std::mem::take(list).into_iter().map(Some).collect();
    list.extend(order.into_iter().filter_map(|index| items[index].take()));
}

/// Sorts stably by a key, as `slice::sort_by_key` does.
pub fn sort_by_key<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(list, |a, b| key(a).cmp(&key(b)));
}

/// The indices below `len` in the order that `compare` gives their elements; equal ones stay as they are.
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28, state >> 8)
        };
        for len in [0, 1, 2, 3, 20, 200] {
            // Few keys: equal ones have to stay in their order.
            let mut list: Vec<_> = (0..len).map(|_| next()).collect();
            let mut expected = list.clone();
            expected.sort_by_key(|item| item.0);
            sort_by_key(&mut list, |item| item.0);
            assert_eq!(list, expected);
            expected.sort_by(|a, b| b.cmp(a));
            sort_by(&mut list, |a, b| b.cmp(a));
            assert_eq!(list, expected);
        }
    }
}
