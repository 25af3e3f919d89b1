package yolov2tf.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.RectF;
import android.graphics.Typeface;
import android.os.Handler;
import android.os.Looper;
import android.util.AttributeSet;
import android.view.View;
import java.util.List;
import yolov2tf.core.Brush;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;
import yolov2tf.core.ScreenArea;

/**
 * Draws the boxes over the camera's preview, or over a picked picture.
 *
 * <p>It is a live region: its description says what is shown. Over the camera it changes at most
 * every few seconds, and only when other things are seen.
 */
public final class OverlayView extends View implements Brush {
    private static final long SPOKEN_EVERY_NANOS = 3_000_000_000L;

    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG | Paint.FILTER_BITMAP_FLAG);
    private final RectF place = new RectF();
    private final ScreenArea area = new ScreenArea();
    private final DetectionPainter painter;
    private Canvas canvas; // while drawing
    private Bitmap picture; // null for the camera
    private boolean mirrored;

    // View.post() can lose what other threads post while the view is being attached.
    private final Handler screen = new Handler(Looper.getMainLooper());
    private final Object lock = new Object();
    private Detections shown; // all that was found; those above the threshold are drawn
    private List<String> names;
    private float threshold;
    private boolean spoken;
    private long lastSpoken;

    public OverlayView(Context context, AttributeSet attributes) {
        super(context, attributes);
        float density = getResources().getDisplayMetrics().density;
        painter = new DetectionPainter(14 * density, 2 * density);
        paint.setTypeface(Typeface.DEFAULT_BOLD);
    }

    /**
     * Shows a picture in place of the camera's preview, or the preview again (null).
     *
     * @return whether that is a change
     */
    boolean setPicture(Bitmap bitmap) {
        if (picture == bitmap) {
            return false;
        }
        picture = bitmap;
        clear();
        return true;
    }

    /** Says whether the preview below is mirrored. */
    void setMirrored(boolean value) {
        mirrored = value;
    }

    /** Shows only what scores above this, 0..1; of what is shown already, too. */
    void setThreshold(float score) {
        synchronized (lock) {
            threshold = score;
        }
        if (picture != null) {
            describe();
        }
        invalidate();
    }

    /**
     * Shows detections, best first; from any thread. They are copied.
     *
     * @param live whether they are the camera's
     */
    void show(Detections found, List<String> classNames, boolean live) {
        boolean speak;
        synchronized (lock) {
            if (names != classNames) { // another model, which may find more
                shown = new Detections(found.capacity());
                names = classNames;
            }
            shown.copy(found);
            long now = System.nanoTime();
            speak = !live || !spoken || now - lastSpoken > SPOKEN_EVERY_NANOS;
            spoken = true;
            lastSpoken = speak ? now : lastSpoken;
        }
        if (speak) {
            screen.post(this::describe);
        }
        postInvalidate();
    }

    /** A copy of all that was found, whatever the threshold; null before there is something. */
    Detections found() {
        synchronized (lock) {
            if (shown == null) {
                return null;
            }
            Detections copy = new Detections(shown.capacity());
            copy.copy(shown);
            return copy;
        }
    }

    private void describe() {
        String words = null;
        synchronized (lock) {
            if (shown != null && shown.pictureWidth() > 0) {
                int count = shown.countAbove(threshold);
                words = picture == null
                        ? Words.counts(getResources(), shown, count, names)
                        : Words.each(getResources(), shown, count, names);
            }
        }
        if (words == null || !words.contentEquals(described())) {
            setContentDescription(words);
        }
    }

    private CharSequence described() {
        CharSequence words = getContentDescription();
        return words == null ? "" : words;
    }

    /** Removes all boxes. */
    void clear() {
        synchronized (lock) {
            names = null;
            shown = null;
            spoken = false;
        }
        describe();
        invalidate();
    }

    @Override
    protected void onDraw(Canvas target) {
        canvas = target;
        if (picture != null) {
            target.drawColor(Color.BLACK);
            area.fit(picture.getWidth(), picture.getHeight(), getWidth(), getHeight(), false);
            place.set(area.x(0), area.y(0), area.x(1), area.y(1));
            target.drawBitmap(picture, null, place, paint);
        }
        synchronized (lock) {
            if (shown != null && shown.pictureWidth() > 0) {
                area.fit(shown.pictureWidth(), shown.pictureHeight(), getWidth(), getHeight(),
                        mirrored && picture == null);
                painter.paint(shown, threshold, names, area, this);
            }
        }
        canvas = null;
    }

    @Override
    public void outline(float left, float top, float right, float bottom, float thickness,
            int argb) {
        paint.setStyle(Paint.Style.STROKE);
        paint.setStrokeWidth(thickness);
        paint.setColor(argb);
        canvas.drawRect(left, top, right, bottom, paint);
    }

    @Override
    public void fill(float left, float top, float right, float bottom, int argb) {
        paint.setStyle(Paint.Style.FILL);
        paint.setColor(argb);
        canvas.drawRect(left, top, right, bottom, paint);
    }

    @Override
    public void write(String text, float left, float baseline, float size, int argb) {
        paint.setStyle(Paint.Style.FILL);
        paint.setColor(argb);
        paint.setTextSize(size);
        canvas.drawText(text, left, baseline, paint);
    }

    @Override
    public float widthOf(String text, float size) {
        paint.setTextSize(size);
        return paint.measureText(text);
    }
}
