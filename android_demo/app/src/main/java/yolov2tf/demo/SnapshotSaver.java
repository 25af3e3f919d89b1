package yolov2tf.demo;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import android.widget.Toast;
import java.io.IOException;
import java.io.OutputStream;
import yolov2tf.core.FirstThatWorks;

/** Asks where to save a snapshot, and writes it there, off the UI thread. */
final class SnapshotSaver {
    private final Activity activity;
    private final int request;
    private final Handler screen = new Handler(Looper.getMainLooper());
    private Snapshot snapshot; // while the user is asked
    private SnapshotKind kind;

    /**
     * @param request code of the question to {@link Activity#onActivityResult}
     */
    SnapshotSaver(Activity activity, int request) {
        this.activity = activity;
        this.request = request;
    }

    /** Asks where; any app that keeps files may answer. */
    void ask(SnapshotKind what, Snapshot of) {
        kind = what;
        snapshot = of;
        activity.startActivityForResult(new Intent(Intent.ACTION_CREATE_DOCUMENT)
                .addCategory(Intent.CATEGORY_OPENABLE)
                .setType(what.type)
                .putExtra(Intent.EXTRA_TITLE, what.file), request);
    }

    /** The answer: where to, or null for nowhere. */
    void answered(Uri target) {
        Snapshot saved = snapshot;
        snapshot = null;
        if (target == null) {
            return;
        }
        if (saved == null) { // Android ended the app while it asked
            say(activity.getString(R.string.not_saved, activity.getString(
                    R.string.nothing_to_save)));
            return;
        }
        SnapshotKind what = kind;
        new Thread(() -> write(saved, what, target), "saving").start();
    }

    private void write(Snapshot saved, SnapshotKind what, Uri target) {
        String words = activity.getString(R.string.saved);
        try (OutputStream out = activity.getContentResolver().openOutputStream(target)) {
            if (out == null) {
                throw new IOException(target.toString());
            }
            out.write(what.of(saved));
        } catch (Exception | OutOfMemoryError error) { // providers are other people's code
            words = activity.getString(R.string.not_saved, FirstThatWorks.words(error));
        }
        say(words);
    }

    private void say(String words) {
        screen.post(() -> Toast.makeText(
                activity.getApplicationContext(), words, Toast.LENGTH_LONG).show());
    }
}
