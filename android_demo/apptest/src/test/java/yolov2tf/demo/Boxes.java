package yolov2tf.demo;

import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;
import yolov2tf.core.ScreenArea;

/** Boxes in screenshots. */
final class Boxes {
    private static final int SAMPLES = 40;

    private Boxes() {}

    /** Looks whether the best box is on the screen, in its colour, where the picture is. */
    static void assertDrawn(App app, Bitmap screen, boolean mirrored) {
        Detections found = app.overlay().found();
        assertTrue("nothing was found", found.count() > 0 && found.score(0) > 0.25f);
        int[] corner = new int[2];
        app.overlay().getLocationInWindow(corner);
        ScreenArea area = new ScreenArea();
        area.fit(found.pictureWidth(), found.pictureHeight(), app.overlay().getWidth(),
                app.overlay().getHeight(), mirrored);
        float left = corner[0] + area.x(found.left(0));
        float right = corner[0] + area.x(found.right(0));
        float top = corner[1] + area.y(found.top(0));
        float bottom = corner[1] + area.y(found.bottom(0));
        int color = DetectionPainter.color(found.label(0));
        int hits = 0;
        for (int i = 0; i < SAMPLES; i++) {
            float part = (i + 0.5f) / SAMPLES;
            float x = left + part * (right - left);
            float y = top + part * (bottom - top);
            hits += is(screen, x, top, color) + is(screen, x, bottom, color)
                    + is(screen, left, y, color) + is(screen, right, y, color);
        }
        assertTrue(hits + " of " + 4 * SAMPLES + " points of the outline have its colour",
                hits > 3 * SAMPLES); // captions may cover some
    }

    private static int is(Bitmap screen, float x, float y, int color) {
        int column = Math.max(0, Math.min((int) x, screen.getWidth() - 1));
        int row = Math.max(0, Math.min((int) y, screen.getHeight() - 1));
        return screen.getPixel(column, row) == color ? 1 : 0;
    }
}
