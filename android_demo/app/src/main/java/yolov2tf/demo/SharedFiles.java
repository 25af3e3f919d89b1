package yolov2tf.demo;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Hands files out to the apps that they are shared with, to be read only.
 *
 * <p>Each share has a folder of its own in the cache, so that its file keeps its name. Those of the
 * days before are deleted: the other apps have long read them.
 */
public final class SharedFiles extends ContentProvider {
    private static final String AUTHORITY = "yolov2tf.demo.shared";
    private static final long KEPT_MILLIS = 24L * 60 * 60 * 1000;

    /**
     * Keeps a file to be shared.
     *
     * @return its address, to be granted with the intent
     */
    static Uri put(Context context, SnapshotKind kind, byte[] content) throws IOException {
        long now = System.currentTimeMillis();
        File all = folder(context);
        File[] before = all.listFiles();
        for (File old : before == null ? new File[0] : before) {
            if (now - old.lastModified() > KEPT_MILLIS) {
                new File(old, SnapshotKind.PICTURE.file).delete();
                new File(old, SnapshotKind.JSON.file).delete();
                old.delete();
            }
        }
        File folder = new File(all, String.valueOf(now));
        for (long place = now; !folder.mkdirs(); place++) { // another share of this millisecond
            if (!all.isDirectory()) {
                throw new IOException("there is no room for it");
            }
            folder = new File(all, String.valueOf(place + 1));
        }
        File file = new File(folder, kind.file);
        try (OutputStream out = new FileOutputStream(file)) {
            out.write(content);
        }
        return new Uri.Builder().scheme("content").authority(AUTHORITY)
                .appendPath(folder.getName()).appendPath(kind.file).build();
    }

    private static File folder(Context context) {
        return new File(context.getCacheDir(), "shared");
    }

    /** What an address stands for; no other file has one, whatever dots are in it. */
    private File file(Uri uri) throws FileNotFoundException {
        if (uri.getPathSegments().size() == 2) {
            String place = uri.getPathSegments().get(0);
            File file = new File(new File(folder(getContext()), place), kind(uri).file);
            if (place.matches("\\d+") && file.isFile()) {
                return file;
            }
        }
        throw new FileNotFoundException(uri.toString());
    }

    private static SnapshotKind kind(Uri uri) throws FileNotFoundException {
        for (SnapshotKind kind : SnapshotKind.values()) {
            if (kind.file.equals(uri.getLastPathSegment())) {
                return kind;
            }
        }
        throw new FileNotFoundException(uri.toString());
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        if (!mode.equals("r")) {
            throw new SecurityException("it is to be read only");
        }
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.MODE_READ_ONLY);
    }

    @Override
    public String getType(Uri uri) {
        try {
            return kind(uri).type;
        } catch (FileNotFoundException error) {
            return null;
        }
    }

    /** Name and size, as other apps ask for them. */
    @Override
    public Cursor query(Uri uri, String[] columns, String selection, String[] arguments,
            String order) {
        String[] wanted = columns == null
                ? new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE} : columns;
        MatrixCursor cursor = new MatrixCursor(wanted, 1);
        try {
            File file = file(uri);
            MatrixCursor.RowBuilder row = cursor.newRow();
            for (String column : wanted) {
                row.add(column.equals(OpenableColumns.DISPLAY_NAME) ? file.getName()
                        : column.equals(OpenableColumns.SIZE) ? (Object) file.length() : null);
            }
        } catch (FileNotFoundException error) {
            return cursor; // no rows: it is not there
        }
        return cursor;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        throw new UnsupportedOperationException();
    }
}
