package yolov2tf.demo;

import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Matrix;
import android.media.ExifInterface;
import java.io.File;
import java.io.IOException;
import yolov2tf.core.Picture;

/** A picture that the user picked, upright and no larger than the screen needs. */
final class PickedPicture implements Picture {
    private static final int LONGEST = 2048;

    final Bitmap bitmap;
    private final int[] row; // of whoever reads: the network's thread

    private PickedPicture(Bitmap bitmap) {
        this.bitmap = bitmap;
        row = new int[bitmap.getWidth()];
    }

    /**
     * Reads a picture.
     *
     * @throws IOException if it cannot be read, or is none; the message says so
     */
    static PickedPicture read(File file) throws IOException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inJustDecodeBounds = true;
        BitmapFactory.decodeFile(file.getPath(), options);
        if (options.outWidth < 1 || options.outHeight < 1) {
            throw new IOException("it is no picture that Android knows");
        }
        options.inJustDecodeBounds = false;
        options.inSampleSize = 1;
        while (Math.max(options.outWidth, options.outHeight) / options.inSampleSize > LONGEST) {
            options.inSampleSize *= 2;
        }
        Bitmap bitmap = BitmapFactory.decodeFile(file.getPath(), options);
        if (bitmap == null) {
            throw new IOException("it is damaged");
        }
        return new PickedPicture(Bitmap.createBitmap(
                bitmap, 0, 0, bitmap.getWidth(), bitmap.getHeight(), upright(file), true));
    }

    @Override
    public int width() {
        return bitmap.getWidth();
    }

    @Override
    public int height() {
        return bitmap.getHeight();
    }

    @Override
    public void read(int y, int[] columns, float[] rgb) {
        bitmap.getPixels(row, 0, row.length, 0, y, row.length, 1);
        int next = 0;
        for (int column : columns) {
            int pixel = row[column];
            rgb[next++] = pixel >> 16 & 0xFF;
            rgb[next++] = pixel >> 8 & 0xFF;
            rgb[next++] = pixel & 0xFF;
        }
    }

    private static Matrix upright(File file) {
        Matrix matrix = new Matrix();
        int orientation;
        try {
            orientation = new ExifInterface(file.getPath()).getAttributeInt(
                    ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL);
        } catch (IOException | RuntimeException error) {
            return matrix; // formats without EXIF, and broken EXIF: as it is
        }
        switch (orientation) {
            case ExifInterface.ORIENTATION_FLIP_HORIZONTAL:
                matrix.setScale(-1, 1);
                break;
            case ExifInterface.ORIENTATION_ROTATE_180:
                matrix.setRotate(180);
                break;
            case ExifInterface.ORIENTATION_FLIP_VERTICAL:
                matrix.setScale(1, -1);
                break;
            case ExifInterface.ORIENTATION_TRANSPOSE:
                matrix.setRotate(90);
                matrix.postScale(-1, 1);
                break;
            case ExifInterface.ORIENTATION_ROTATE_90:
                matrix.setRotate(90);
                break;
            case ExifInterface.ORIENTATION_TRANSVERSE:
                matrix.setRotate(-90);
                matrix.postScale(-1, 1);
                break;
            case ExifInterface.ORIENTATION_ROTATE_270:
                matrix.setRotate(-90);
                break;
            default:
        }
        return matrix;
    }
}
