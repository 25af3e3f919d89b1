package yolov2tf.demo;

import android.content.Context;
import android.util.AttributeSet;
import android.widget.ScrollView;

/** Scrolls the panel where it would take more of the screen's height than it may. */
public final class PanelScroll extends ScrollView {
    private float most = 1; // of the height it is offered

    public PanelScroll(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    /** Sets the largest part of the height that it takes, 0..1. */
    void setMost(float part) {
        most = part;
        requestLayout();
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        int height = Math.round(most * MeasureSpec.getSize(heightSpec));
        boolean free = MeasureSpec.getMode(heightSpec) != MeasureSpec.EXACTLY;
        super.onMeasure(widthSpec, free
                ? MeasureSpec.makeMeasureSpec(height, MeasureSpec.AT_MOST) : heightSpec);
    }
}
