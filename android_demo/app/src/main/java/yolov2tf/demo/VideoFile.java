package yolov2tf.demo;

import android.content.ContentResolver;
import android.content.res.AssetFileDescriptor;
import android.graphics.Bitmap;
import android.media.MediaMetadataRetriever;
import android.net.Uri;
import android.os.Build;
import java.io.FileNotFoundException;
import java.io.IOException;

/** A video of another app, frame by frame, upright. For one thread. */
final class VideoFile implements AutoCloseable {
    private static final int LONGEST = 1920; // larger frames are made smaller, where Android can

    /** Its length in microseconds. */
    final long duration;
    private final AssetFileDescriptor file;
    private final MediaMetadataRetriever retriever;
    private final boolean large;

    private VideoFile(AssetFileDescriptor file, MediaMetadataRetriever retriever)
            throws IOException {
        this.file = file;
        this.retriever = retriever;
        duration = 1000 * number(MediaMetadataRetriever.METADATA_KEY_DURATION);
        long width = number(MediaMetadataRetriever.METADATA_KEY_VIDEO_WIDTH);
        long height = number(MediaMetadataRetriever.METADATA_KEY_VIDEO_HEIGHT);
        large = Math.max(width, height) > LONGEST;
        if (duration < 1 || width < 1 || height < 1) {
            throw new IOException("it is no video that Android knows");
        }
    }

    /**
     * Opens a video.
     *
     * @throws IOException if it is none, or cannot be read; other exceptions are its provider's
     */
    static VideoFile open(ContentResolver resolver, Uri uri) throws IOException {
        AssetFileDescriptor file = resolver.openAssetFileDescriptor(uri, "r");
        if (file == null) {
            throw new FileNotFoundException(uri.toString());
        }
        MediaMetadataRetriever retriever = new MediaMetadataRetriever();
        try {
            if (file.getDeclaredLength() < 0) {
                retriever.setDataSource(file.getFileDescriptor());
            } else {
                retriever.setDataSource(file.getFileDescriptor(), file.getStartOffset(),
                        file.getDeclaredLength());
            }
            return new VideoFile(file, retriever);
        } catch (IOException error) {
            close(file, retriever);
            throw error;
        } catch (RuntimeException error) { // of the decoder, whose words are numbers
            close(file, retriever);
            throw new IOException("it is no video that Android can read", error);
        }
    }

    /** The frame that is next to a time in microseconds; null if it cannot be decoded. */
    Bitmap frame(long micros) {
        return large && Build.VERSION.SDK_INT >= 27
                ? retriever.getScaledFrameAtTime(
                        micros, MediaMetadataRetriever.OPTION_CLOSEST, LONGEST, LONGEST)
                : retriever.getFrameAtTime(micros, MediaMetadataRetriever.OPTION_CLOSEST);
    }

    @Override
    public void close() {
        close(file, retriever);
    }

    private static void close(AssetFileDescriptor file, MediaMetadataRetriever retriever) {
        try {
            retriever.release();
            file.close();
        } catch (IOException | RuntimeException error) {
            // All of it that was wanted has been read.
        }
    }

    private long number(int key) {
        String text = retriever.extractMetadata(key);
        try {
            return text == null ? 0 : Long.parseLong(text);
        } catch (NumberFormatException error) {
            return 0;
        }
    }
}
