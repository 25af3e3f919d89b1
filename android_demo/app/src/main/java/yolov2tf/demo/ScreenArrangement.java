package yolov2tf.demo;

import android.app.Activity;
import android.content.res.Configuration;
import android.view.ViewGroup;
import android.widget.LinearLayout;

/** Puts the controls below the preview, or beside it where the screen is wide. */
final class ScreenArrangement {
    private ScreenArrangement() {}

    static void apply(Activity activity) {
        Configuration now = activity.getResources().getConfiguration();
        boolean wide = now.orientation == Configuration.ORIENTATION_LANDSCAPE;
        LinearLayout root = activity.findViewById(R.id.root);
        root.setOrientation(wide ? LinearLayout.HORIZONTAL : LinearLayout.VERTICAL);
        int all = ViewGroup.LayoutParams.MATCH_PARENT;
        float panelWidth = Math.min(280 * Math.max(now.fontScale, 1), 0.5f * now.screenWidthDp);
        activity.findViewById(R.id.stage).setLayoutParams(wide
                ? new LinearLayout.LayoutParams(0, all, 1)
                : new LinearLayout.LayoutParams(all, 0, 1));
        PanelScroll panel = activity.findViewById(R.id.panel_scroll);
        panel.setMost(wide ? 1 : 0.6f);
        float density = activity.getResources().getDisplayMetrics().density;
        panel.setLayoutParams(wide
                ? new LinearLayout.LayoutParams(Math.round(panelWidth * density), all)
                : new LinearLayout.LayoutParams(all, ViewGroup.LayoutParams.WRAP_CONTENT));
    }
}
