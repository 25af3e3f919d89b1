package yolov2tf.demo;

/** What is kept of a snapshot: saved, or shared. */
enum SnapshotKind {
    PICTURE("image/png", "detections.png"),
    JSON("application/json", "detections.json");

    final String type;
    final String file;

    SnapshotKind(String type, String file) {
        this.type = type;
        this.file = file;
    }

    byte[] of(Snapshot snapshot) {
        return this == PICTURE ? snapshot.png() : snapshot.json(PICTURE.file);
    }
}
