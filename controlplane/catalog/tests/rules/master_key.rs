//! Which master key a catalog belongs to.

use crate::cell::Cell;

pub async fn the_first_master_key_leaves_its_mark_for_good(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    assert_eq!(catalog.master_key_mark("first").await.unwrap(), "first");
    assert_eq!(catalog.master_key_mark("second").await.unwrap(), "first");
    assert_eq!(catalog.master_key_mark("first").await.unwrap(), "first");
}
