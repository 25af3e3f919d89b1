package yolov2tf.demo;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.database.Cursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import java.io.File;
import java.io.FileNotFoundException;
import java.nio.file.Files;
import org.robolectric.Robolectric;

/** Another app that hands out a video, through a descriptor. */
public final class VideoProvider extends ContentProvider {
    static final Uri VIDEO = Uri.parse("content://videos/1");

    /** Opens the video. */
    interface Opening {
        ParcelFileDescriptor open() throws Exception;
    }

    private static volatile Opening opening;

    static void give(Opening answer) {
        opening = answer;
        Robolectric.buildContentProvider(VideoProvider.class).create("videos");
    }

    static void give(byte[] content) throws Exception {
        File file = File.createTempFile("video", ".test");
        file.deleteOnExit();
        Files.write(file.toPath(), content);
        give(() -> ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY));
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        try {
            return opening.open();
        } catch (FileNotFoundException | RuntimeException error) {
            throw error;
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public Cursor query(Uri uri, String[] columns, String selection, String[] arguments,
            String order) {
        return null;
    }

    @Override
    public String getType(Uri uri) {
        return "video/mp4";
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        return null;
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        return 0;
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        return 0;
    }
}
