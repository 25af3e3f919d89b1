package yolov2tf.demo;

import android.content.Context;
import android.net.Uri;
import android.os.Bundle;
import java.io.File;
import java.io.IOException;
import yolov2tf.core.FirstThatWorks;

/**
 * The picture that the user picked: none, being opened, or shown. Survives the activity.
 *
 * <p>For the UI thread; {@link #shown} for any.
 */
final class PictureSource implements PictureLoader.Listener {
    /** Hears on the UI thread. */
    interface Listener {
        /** Something of it has changed: ask what. */
        void onPictureChanged();

        void onPictureFailed(String reason);
    }

    private static final String FILE = "picture.file";
    private static final String URI = "picture.uri";

    private final Context context;
    private final Listener listener;
    private PictureLoader loader; // null while none is being opened
    private Uri source; // of what is being opened; null if it is in the file
    private File opening;
    private int percent;
    private File file; // of the picture that is shown
    private volatile PickedPicture shown;

    PictureSource(Context context, Listener listener) {
        this.context = context.getApplicationContext();
        this.listener = listener;
    }

    /** Opens a picture in place of the one before, if that works. */
    void open(Uri uri) {
        stop();
        try {
            opening = File.createTempFile("picture", null, context.getCacheDir());
        } catch (IOException error) {
            listener.onPictureFailed(FirstThatWorks.words(error));
            return;
        }
        source = uri;
        start();
    }

    /** Ends the opening, or closes the picture that is shown. */
    void close() {
        if (isOpening()) {
            stop();
        } else {
            shown = null;
            delete(file);
            file = null;
        }
        listener.onPictureChanged();
    }

    boolean isOpening() {
        return loader != null;
    }

    /** How much of it has come, 0..100; -1 while nothing is known. */
    int percent() {
        return percent;
    }

    /** The picture; null for none. */
    PickedPicture shown() {
        return shown;
    }

    /** Whether the camera has to leave its place: a picture is there, or comes back. */
    boolean takesTheStage() {
        return shown != null || isOpening() && source == null;
    }

    void save(Bundle state) {
        if (isOpening() && source != null) {
            state.putParcelable(URI, source);
        }
        File kept = file == null && isOpening() && source == null ? opening : file;
        if (kept != null) {
            state.putString(FILE, kept.getPath());
        }
    }

    @SuppressWarnings("deprecation") // the typed getParcelable came with API 33
    void restore(Bundle state) {
        String path = state.getString(FILE);
        Uri uri = state.getParcelable(URI);
        if (uri != null) {
            delete(path == null ? null : new File(path));
            open(uri);
        } else if (path != null && new File(path).exists()) { // caches may be emptied
            opening = new File(path);
            source = null;
            start();
        }
    }

    /**
     * Ends everything.
     *
     * @param forGood whether the picture will not come back
     */
    void end(boolean forGood) {
        if (isOpening()) {
            loader.cancel();
            loader = null;
            if (forGood || source != null) {
                delete(opening);
            }
        }
        if (forGood) {
            delete(file);
        }
    }

    @Override
    public void onProgress(int now) {
        percent = now;
        listener.onPictureChanged();
    }

    @Override
    public void onLoaded(PickedPicture picture) {
        if (file != null && !file.equals(opening)) {
            delete(file);
        }
        file = opening;
        opening = null;
        loader = null;
        shown = picture;
        listener.onPictureChanged();
    }

    @Override
    public void onFailed(String reason) {
        stop();
        listener.onPictureFailed(reason);
    }

    private void start() {
        percent = -1;
        loader = new PictureLoader(context.getContentResolver(), source, opening, this);
        loader.start();
        listener.onPictureChanged();
    }

    private void stop() {
        if (loader != null) {
            loader.cancel();
            loader = null;
            delete(opening);
        }
        opening = null;
    }

    private static void delete(File file) {
        if (file != null) {
            file.delete(); // what stays in the cache, Android deletes some day
        }
    }
}
