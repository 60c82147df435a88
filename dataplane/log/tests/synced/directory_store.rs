//! The object store in a directory.

use std::sync::Arc;

use bytes::Bytes;
use firn_log::store::open;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::device::Device;

fn store_on(device: &Device) -> Arc<dyn ObjectStore> {
    open(&format!("file://{}", device.path().join("new/store").display())).unwrap()
}

fn left_of(device: &Device, path: &Path) -> Option<Vec<u8>> {
    let left = device.after_power_loss();
    std::fs::read(left.path().join("new/store").join(path.as_ref())).ok()
}

async fn create(store: &dyn ObjectStore, path: &Path) -> object_store::Result<()> {
    let options = PutOptions {
        mode: PutMode::Create,
        ..PutOptions::default()
    };
    store
        .put_opts(path, Bytes::from_static(b"records").into(), options)
        .await
        .map(drop)
}

#[tokio::test]
async fn what_was_put_survives_a_power_loss() {
    let device = Device::new();
    let store = store_on(&device);
    for path in ["wal/a/0", "wal/a/1", "seg/1/2/3"] {
        let path = Path::from(path);
        create(&*store, &path).await.unwrap();
        assert_eq!(
            left_of(&device, &path).as_deref(),
            Some(&b"records"[..]),
            "{path}"
        );
    }
    let path = Path::from("mux/4");
    store
        .put(&path, Bytes::from_static(b"others").into())
        .await
        .unwrap();
    assert_eq!(left_of(&device, &path).as_deref(), Some(&b"others"[..]));
}

#[tokio::test]
async fn a_large_object_survives_a_power_loss_or_was_not_put() {
    let device = Device::new();
    let store = store_on(&device);
    let path = Path::from("seg/1/2/3");
    let object = |fill: u8| [vec![fill; 700_001], vec![fill ^ 1; 4_000_000]];
    let put = |fill: u8| {
        let chunks = object(fill).map(Bytes::from);
        store.put(&path, PutPayload::from_iter(chunks))
    };
    for fill in [3, 7] {
        put(fill).await.unwrap();
        assert!(
            left_of(&device, &path) == Some(object(fill).concat()),
            "object {fill}"
        );
    }
    device.fail(|path| path.ends_with("seg/1/2"));
    assert!(put(9).await.is_err());
    assert!(
        left_of(&device, &path) == Some(object(7).concat()),
        "the one that was answered"
    );
    device.mend();
    put(9).await.unwrap();
    assert!(left_of(&device, &path) == Some(object(9).concat()));
    let beside = std::fs::read_dir(device.path().join("new/store/seg/1/2")).unwrap();
    assert_eq!(beside.count(), 1, "no other file is left");
}

#[tokio::test]
async fn a_large_object_survives_in_folders_that_another_put_has_not_synced_yet() {
    let device = Device::new();
    let store = store_on(&device);
    std::fs::create_dir_all(device.path().join("new/store/seg/8/9")).unwrap();
    let path = Path::from("seg/8/9/1");
    let object = vec![5; 2_000_000];
    store
        .put(&path, Bytes::from(object.clone()).into())
        .await
        .unwrap();
    assert!(left_of(&device, &path) == Some(object));
}

#[tokio::test]
async fn whoever_is_told_that_it_exists_finds_it_after_a_power_loss_too() {
    let device = Device::new();
    let store = store_on(&device);
    create(&*store, &Path::from("wal/a/0")).await.unwrap();
    let path = Path::from("wal/a/1");
    device.fail(|path| path.ends_with("wal/a"));
    assert!(create(&*store, &path).await.is_err());
    store.head(&path).await.unwrap();
    assert_eq!(left_of(&device, &path), None, "it is there, and not durable");
    assert!(!matches!(
        create(&*store, &path).await,
        Err(Error::AlreadyExists { .. })
    ));
    device.mend();
    let exists = create(&*store, &path).await;
    assert!(matches!(exists, Err(Error::AlreadyExists { .. })), "{exists:?}");
    assert_eq!(left_of(&device, &path).as_deref(), Some(&b"records"[..]));
}
