package yolov2tf.demo;

import android.content.ContentResolver;
import android.database.Cursor;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import yolov2tf.core.FirstThatWorks;

/**
 * Opens one picture on a thread of its own.
 *
 * <p>The provider is asked once: a cloud's may download the picture each time, and is allowed to
 * give it no second time. What it gives is kept in a file, from which the picture is read, also
 * after the app was ended meanwhile.
 */
final class PictureLoader {
    /** Hears on the UI thread; of nothing any more after {@link #cancel}. */
    interface Listener {
        /**
         * Bytes came.
         *
         * @param percent 0..100; -1 where the provider does not say how many there are
         */
        void onProgress(int percent);

        void onLoaded(PickedPicture picture);

        /** It cannot be opened; {@code reason} is for people. */
        void onFailed(String reason);
    }

    private static final long LARGEST = 256L << 20; // bytes
    private static final int CHUNK = 64 << 10;

    private final ContentResolver resolver;
    private final Uri source;
    private final File file;
    private final Listener listener;
    private final Handler screen = new Handler(Looper.getMainLooper());
    private final Thread thread = new Thread(this::run, "picture");
    private volatile boolean cancelled;
    private int told = -1;

    /**
     * @param source where the picture is; null if {@code file} holds it already
     * @param file keeps it
     */
    PictureLoader(ContentResolver resolver, Uri source, File file, Listener listener) {
        this.resolver = resolver;
        this.source = source;
        this.file = file;
        this.listener = listener;
    }

    void start() {
        thread.start();
    }

    /** Stops it. A provider that does not answer keeps its thread, but nobody waits for it. */
    void cancel() {
        cancelled = true;
        thread.interrupt();
    }

    private void run() {
        try {
            if (source != null) {
                copy();
            }
            if (!cancelled) {
                PickedPicture picture = PickedPicture.read(file);
                tell(() -> listener.onLoaded(picture));
            }
        } catch (OutOfMemoryError error) {
            fail("it is too large for this device's memory");
        } catch (FileNotFoundException error) {
            fail("it is not there any more");
        } catch (SecurityException error) {
            fail("the app that has it does not hand it out");
        } catch (Exception error) { // providers are other people's code: they throw anything
            fail(FirstThatWorks.words(error));
        }
    }

    private void fail(String reason) {
        tell(() -> listener.onFailed(reason));
    }

    private void tell(Runnable news) {
        screen.post(() -> {
            if (!cancelled) {
                news.run();
            }
        });
    }

    private void copy() throws IOException {
        long size = size();
        try (InputStream from = resolver.openInputStream(source);
                OutputStream to = new FileOutputStream(file)) {
            if (from == null) {
                throw new FileNotFoundException(source.toString());
            }
            byte[] chunk = new byte[CHUNK];
            long copied = 0;
            for (int count; !cancelled && (count = from.read(chunk)) >= 0; ) {
                copied += count;
                if (copied > LARGEST) {
                    throw new IOException("it has more than " + (LARGEST >> 20) + " MB");
                }
                to.write(chunk, 0, count);
                tellProgress(copied, size);
            }
        } finally {
            if (cancelled) {
                file.delete(); // nobody else may know that it was made after all
            }
        }
    }

    private void tellProgress(long copied, long size) {
        int percent = size > 0 ? (int) Math.min(100 * copied / size, 100) : -1;
        if (percent != told) {
            told = percent;
            tell(() -> listener.onProgress(percent));
        }
    }

    /** How many bytes there will be, or 0: it is for the progress alone, so it may fail. */
    private long size() {
        String[] columns = {OpenableColumns.SIZE};
        try (Cursor cursor = resolver.query(source, columns, null, null, null)) {
            return cursor != null && cursor.moveToFirst() ? cursor.getLong(0) : 0;
        } catch (RuntimeException error) {
            return 0;
        }
    }
}
