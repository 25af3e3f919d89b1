package yolov2tf.demo;

import android.app.Activity;
import android.content.ClipData;
import android.content.Intent;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import android.widget.Toast;
import yolov2tf.core.FirstThatWorks;

/** Hands a snapshot to another app, which the user chooses; it is written off the UI thread. */
final class SnapshotSharer {
    private final Activity activity;
    private final Handler screen = new Handler(Looper.getMainLooper());

    SnapshotSharer(Activity activity) {
        this.activity = activity;
    }

    void share(SnapshotKind kind, Snapshot snapshot) {
        new Thread(() -> write(kind, snapshot), "sharing").start();
    }

    private void write(SnapshotKind kind, Snapshot snapshot) {
        try {
            Uri file = SharedFiles.put(activity.getApplicationContext(), kind, kind.of(snapshot));
            screen.post(() -> send(kind, file));
        } catch (Exception | OutOfMemoryError error) { // a full disk, for one
            String words = activity.getString(R.string.not_shared, FirstThatWorks.words(error));
            screen.post(() -> Toast.makeText(
                    activity.getApplicationContext(), words, Toast.LENGTH_LONG).show());
        }
    }

    private void send(SnapshotKind kind, Uri file) {
        if (activity.isFinishing() || activity.isDestroyed()) {
            return; // nobody is there who asked for it
        }
        Intent intent = new Intent(Intent.ACTION_SEND)
                .setType(kind.type)
                .putExtra(Intent.EXTRA_STREAM, file)
                .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
        // Choosers grant what is in the clip, and show it.
        intent.setClipData(ClipData.newRawUri(null, file));
        activity.startActivity(Intent.createChooser(intent, null));
    }
}
