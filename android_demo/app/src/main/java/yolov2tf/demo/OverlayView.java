package yolov2tf.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Handler;
import android.os.Looper;
import android.util.AttributeSet;
import android.view.View;
import java.util.List;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;
import yolov2tf.core.ScreenArea;

/**
 * Draws the boxes over the camera's preview, or over a picked picture: over it only, so that a new
 * threshold draws boxes alone.
 *
 * <p>It is a live region: its description says what is shown. Over the camera it changes at most
 * every few seconds, and only when other things are seen.
 */
public final class OverlayView extends View {
    private static final long SPOKEN_EVERY_NANOS = 3_000_000_000L;

    private final ScreenArea area = new ScreenArea();
    private final DetectionPainter painter;
    private final CanvasBrush brush = new CanvasBrush();
    private Bitmap picture; // below; null for the camera
    private boolean mirrored;

    // View.post() can lose what other threads post while the view is being attached.
    private final Handler screen = new Handler(Looper.getMainLooper());
    private final Object lock = new Object();
    private Detections all; // that was found
    private Detections shown; // those of wanted classes; the ones above the threshold are drawn
    private List<String> names;
    private ClassFilter filter = new ClassFilter();
    private boolean[] wanted; // by label; null for all
    private float threshold;
    private boolean spoken;
    private long lastSpoken;

    public OverlayView(Context context, AttributeSet attributes) {
        super(context, attributes);
        float density = getResources().getDisplayMetrics().density;
        painter = new DetectionPainter(14 * density, 2 * density);
    }

    /**
     * Says what is below: a picture, or the camera's preview (null).
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
                all = new Detections(found.capacity());
                shown = new Detections(found.capacity());
                names = classNames;
                wanted = filter.wanted(names);
            }
            all.copy(found);
            shown.copy(all, wanted);
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
            if (all == null) {
                return null;
            }
            Detections copy = new Detections(all.capacity());
            copy.copy(all);
            return copy;
        }
    }

    /** Names of the classes of what is shown; null before there is something. */
    List<String> names() {
        synchronized (lock) {
            return names;
        }
    }

    /** Shows the classes of a filter only, from now on; to be called again when it changes. */
    void setFilter(ClassFilter classes) {
        synchronized (lock) {
            filter = classes;
            if (names != null) {
                wanted = filter.wanted(names);
                shown.copy(all, wanted);
            }
        }
        describe();
        invalidate();
    }

    /** A picture that was looked at, as it is shown here: by threshold and class. */
    Snapshot snapshot(Bitmap bitmap, Detections found, List<String> classNames) {
        synchronized (lock) {
            Detections kept = new Detections(found.capacity());
            kept.copy(found, filter.wanted(classNames));
            return new Snapshot(bitmap, kept, threshold, classNames);
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
            all = null;
            shown = null;
            spoken = false;
        }
        describe();
        invalidate();
    }

    @Override
    protected void onDraw(Canvas target) {
        synchronized (lock) {
            if (shown != null && shown.pictureWidth() > 0) {
                area.fit(shown.pictureWidth(), shown.pictureHeight(), getWidth(), getHeight(),
                        mirrored && picture == null);
                brush.setCanvas(target);
                painter.paint(shown, threshold, names, area, brush);
                brush.setCanvas(null);
            }
        }
    }
}
