package yolov2tf.demo;

import android.graphics.Bitmap;
import yolov2tf.core.Picture;

/** A bitmap as the network reads it. */
class BitmapPicture implements Picture {
    final Bitmap bitmap;
    private final int[] row; // of whoever reads: one thread at a time

    BitmapPicture(Bitmap bitmap) {
        this.bitmap = bitmap;
        row = new int[bitmap.getWidth()];
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
}
