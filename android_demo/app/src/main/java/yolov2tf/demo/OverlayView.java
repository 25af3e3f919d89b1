package yolov2tf.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.RectF;
import android.graphics.Typeface;
import android.util.AttributeSet;
import android.view.View;
import java.util.List;
import yolov2tf.core.Brush;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;
import yolov2tf.core.ScreenArea;

/** Draws the boxes over the camera's preview, or over a picked picture. */
public final class OverlayView extends View implements Brush {
    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG | Paint.FILTER_BITMAP_FLAG);
    private final RectF place = new RectF();
    private final ScreenArea area = new ScreenArea();
    private final DetectionPainter painter;
    private Canvas canvas; // while drawing
    private Bitmap picture; // null for the camera
    private boolean mirrored;

    private final Object lock = new Object();
    private Detections shown;
    private List<String> names;

    public OverlayView(Context context, AttributeSet attributes) {
        super(context, attributes);
        float density = getResources().getDisplayMetrics().density;
        painter = new DetectionPainter(14 * density, 2 * density);
        paint.setTypeface(Typeface.DEFAULT_BOLD);
    }

    /** Shows a picture in place of the camera's preview, or the preview again (null). */
    void setPicture(Bitmap bitmap) {
        picture = bitmap;
        clear();
    }

    /** Says whether the preview below is mirrored. */
    void setMirrored(boolean value) {
        mirrored = value;
    }

    /** Shows detections; from any thread. They are copied. */
    void show(Detections found, List<String> classNames) {
        synchronized (lock) {
            if (names != classNames) { // another model, which may find more
                shown = new Detections(found.capacity());
                names = classNames;
            }
            shown.copy(found);
        }
        postInvalidate();
    }

    /** Removes all boxes. */
    void clear() {
        synchronized (lock) {
            names = null;
            shown = null;
        }
        postInvalidate();
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
                painter.paint(shown, names, area, this);
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
