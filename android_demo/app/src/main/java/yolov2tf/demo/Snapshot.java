package yolov2tf.demo;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;
import yolov2tf.core.DetectionsJson;
import yolov2tf.core.Picture;
import yolov2tf.core.ScreenArea;

/** A picture or frame with what is shown of it, to be kept. */
final class Snapshot {
    private static final float TEXT = 1 / 45f; // of the longer side
    private static final float LINE = 1 / 250f;

    private final Bitmap bitmap;
    private final Detections found;
    private final float threshold;
    private final List<String> names;

    /**
     * @param found of the classes that are shown
     * @param threshold those above it are shown
     */
    Snapshot(Bitmap bitmap, Detections found, float threshold, List<String> names) {
        this.bitmap = bitmap;
        this.found = found;
        this.threshold = threshold;
        this.names = names;
    }

    /** The picture with its boxes, at its own size, as PNG. */
    byte[] png() {
        Bitmap drawn = bitmap.copy(Bitmap.Config.ARGB_8888, true);
        int width = drawn.getWidth();
        int height = drawn.getHeight();
        int longest = Math.max(width, height);
        CanvasBrush brush = new CanvasBrush();
        brush.setCanvas(new Canvas(drawn));
        ScreenArea area = new ScreenArea();
        area.fit(width, height, width, height, false);
        new DetectionPainter(Math.max(TEXT * longest, 11), Math.max(LINE * longest, 2))
                .paint(found, threshold, names, area, brush);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        drawn.compress(Bitmap.CompressFormat.PNG, 100, bytes);
        drawn.recycle();
        return bytes.toByteArray();
    }

    /** The detections as JSON. */
    byte[] json(String image) {
        return DetectionsJson.write(image, found, threshold, names)
                .getBytes(StandardCharsets.UTF_8);
    }

    /** All pixels of a picture. */
    static Bitmap bitmap(Picture picture) {
        int width = picture.width();
        int[] columns = new int[width];
        for (int x = 0; x < width; x++) {
            columns[x] = x;
        }
        int[] row = new int[width];
        float[] rgb = new float[3 * width];
        Bitmap bitmap = Bitmap.createBitmap(width, picture.height(), Bitmap.Config.ARGB_8888);
        for (int y = 0; y < picture.height(); y++) {
            picture.read(y, columns, rgb);
            for (int x = 0; x < width; x++) {
                row[x] = 0xFF000000 | Math.round(rgb[3 * x]) << 16
                        | Math.round(rgb[3 * x + 1]) << 8 | Math.round(rgb[3 * x + 2]);
            }
            bitmap.setPixels(row, 0, width, 0, y, width, 1);
        }
        return bitmap;
    }
}
