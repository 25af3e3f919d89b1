package yolov2tf.demo;

import android.app.AlertDialog;
import android.content.Context;

/** What is asked for more rarely than there is room for buttons. */
final class MoreMenu {
    /** Hears what was chosen. */
    interface Listener {
        /** Which classes are shown. */
        void onClasses();

        void onSave(SnapshotKind kind);

        /** Hand it to another app. */
        void onShare(SnapshotKind kind);

        void onVideo();

        void onBenchmark();
    }

    private MoreMenu() {}

    static void show(Context context, Listener listener) {
        String[] entries = {
            context.getString(R.string.classes),
            context.getString(R.string.save_picture),
            context.getString(R.string.save_json),
            context.getString(R.string.share_picture),
            context.getString(R.string.share_json),
            context.getString(R.string.video),
            context.getString(R.string.benchmark),
        };
        Runnable[] actions = {
            listener::onClasses,
            () -> listener.onSave(SnapshotKind.PICTURE),
            () -> listener.onSave(SnapshotKind.JSON),
            () -> listener.onShare(SnapshotKind.PICTURE),
            () -> listener.onShare(SnapshotKind.JSON),
            listener::onVideo,
            listener::onBenchmark,
        };
        new AlertDialog.Builder(context)
                .setItems(entries, (dialog, which) -> actions[which].run())
                .show();
    }
}
